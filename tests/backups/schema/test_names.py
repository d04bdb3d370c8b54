"""Tables whose names are alike once they are written as one: none takes another's rows, definitions or notes."""

from __future__ import annotations

import itertools

import psycopg
import pytest

from backups.archive.manifest import Table
from backups.archive.subset import narrowed
from backups.policy_spec import PolicySpec
from backups.proof.prove import prove
from backups.restore.into_empty import Target, restore
from providers.postgres.schema.consequences import called
from providers.postgres.schema.model import parted, qualified, quoted
from providers.storage.base import Store
from tests.backups.conftest import exported
from tests.backups.schema.conftest import dumped

ALL = PolicySpec("whole", "production", ("*",))
PARTS = ["a", "b", "a.b", "b.c", ".", '"', '"a', '"a"', '"a.b"', 'a"."b', "A b", "a:b", "a\nb", "é" * 31, "%s", "{}"]
FULL = "CASE WHEN s ~ '^\"|[.]' THEN quote_ident(s) ELSE s END || '.' || n"  # as providers/sql says it


def test_no_two_tables_are_called_the_same() -> None:
    names = [*itertools.product(PARTS, PARTS)]

    said = [qualified(*name) for name in names]

    assert len(set(said)) == len(names)
    assert [parted(text) for text in said] == names
    assert [Table(*name, "csv", False, (), ()).qualified for name in names] == said
    assert [called(".".join(map(quoted, name))) for name in names] == said
    assert [f"{schema}.{name}" for schema, name in names if "." not in schema and schema[0] != '"'] == [
        text for text in said if not text.startswith('"')
    ]


def test_the_server_calls_them_so_too(empty_database: str) -> None:
    names = [*itertools.product(PARTS, PARTS)]
    with psycopg.connect(empty_database) as connection:
        query = f"SELECT {FULL} FROM unnest(%s::text[], %s::text[]) AS t(s, n)"
        found = connection.execute(query.encode(), [[s for s, _ in names], [n for _, n in names]]).fetchall()

    assert [text for (text,) in found] == [qualified(*name) for name in names]


F = "CREATE OR REPLACE FUNCTION public.f(x int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN {}; END $$;"
TWINS = """
CREATE SCHEMA a; CREATE SCHEMA "a.b";
CREATE TABLE "a.b".c(x int, g int GENERATED ALWAYS AS (x + 1) STORED, CHECK (x < now()::date - '2000-01-01'));
CREATE TABLE a."b.c"(x int PRIMARY KEY, g int GENERATED ALWAYS AS (x + 2) STORED, s serial);
CREATE TABLE "a.b".d(x int REFERENCES a."b.c") PARTITION BY LIST (x);
CREATE TABLE a."b.d" PARTITION OF "a.b".d FOR VALUES IN (7);
INSERT INTO "a.b".c VALUES (1), (2); INSERT INTO a."b.c" VALUES (7), (8), (9); INSERT INTO "a.b".d VALUES (7);
COMMENT ON TABLE "a.b".c IS 'one'; COMMENT ON TABLE a."b.c" IS 'two'
"""


@pytest.mark.slow
@pytest.mark.parametrize("new", [False, True])
def test_twins_are_proven_and_come_back(new: bool, database, empty_database: str, store: Store, drill) -> None:
    source = database(TWINS)

    manifest = exported(source, store, ALL)
    verdict = prove(manifest, store, server=drill)
    done = restore(manifest, store, (), Target(empty_database, new=new))

    assert (verdict.status, verdict.reasons, verdict.missing, verdict.rows, done.notes) == ("proven", [], (), 6, ())
    assert dumped(empty_database) == dumped(source)


@pytest.mark.slow
def test_one_of_them_is_named_and_comes_alone(database, empty_database: str, store: Store) -> None:
    manifest = exported(database(TWINS), store, PolicySpec("named", "production", ('"a.b".c', "a.b.c")))

    restore(manifest, store, (), Target(empty_database, tables=('"a.b".c',)))

    assert sorted(table.rows for table in manifest.tables) == [2, 3]
    assert [table.rows for table in narrowed(manifest, ["a.b.c"]).tables] == [3]
    with psycopg.connect(empty_database) as connection:
        assert connection.execute('SELECT count(*) FROM "a.b".c').fetchone() == (2,)
        assert connection.execute("SELECT to_regclass('a.\"b.c\"')").fetchone() == (None,)


ODD = """
CREATE SCHEMA "S p.q""r"; CREATE TABLE "S p.q""r"."t
n:'x"(x int PRIMARY KEY, "c.d" int GENERATED ALWAYS AS (public.f(x)) STORED, CHECK (x > 0));
INSERT INTO "S p.q""r"."t
n:'x" VALUES (1), (2); CREATE INDEX "i.x" ON "S p.q""r"."t
n:'x"(public.f(x));
"""


@pytest.mark.slow
def test_notes_name_the_table_whatever_it_is_called(database, store: Store, drill) -> None:
    source = database(F.format("RETURN x") + ODD + F.format("RAISE division_by_zero"))

    verdict = prove(exported(source, store, ALL), store, server=drill)

    assert (verdict.status, verdict.rows) == ("proven", 2)
    assert [text for text in verdict.amber if text.startswith('"S p.q""r".t\nn:\'x.c.d: what computes it refuses')]
