"""Code that runs when a table is made, or reads rows that come later: every row is proven and comes back."""

from __future__ import annotations

import psycopg
import pytest

from backups.policy_spec import PolicySpec
from backups.proof.prove import prove
from backups.restore.into_empty import Target, restore
from providers.postgres.restore.without_code import without_code
from providers.storage.base import Store
from tests.backups.conftest import exported
from tests.backups.schema.conftest import dumped

pytestmark = pytest.mark.slow

ALL = PolicySpec("whole", "production", ("*",))
F = "CREATE OR REPLACE FUNCTION f(x int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN {}; END $$;"
ONCE, FAILS = F.format("RETURN x"), F.format("RAISE division_by_zero")
ROWS = "CREATE TABLE ok(x int); INSERT INTO ok VALUES (5); INSERT INTO t(x) VALUES (1), (2);"
PART = "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (1) TO (9);"
REFUSED = {  # a table, what of it is named; code with constant arguments is called when the table is made
    "a generated column": (
        "CREATE TABLE t(x int, y int GENERATED ALWAYS AS (x + f(1)) STORED NOT NULL,"
        " z text COLLATE \"C\" DEFAULT 'a' CHECK (z <> 'b')); CREATE INDEX ON t(y);",
        "public.t.y: what computes it refuses",
    ),
    "one of a partitioned table": (
        f"CREATE TABLE t(x int, y int GENERATED ALWAYS AS (x + f(1)) STORED) PARTITION BY RANGE (x); {PART}",
        "public.t1.y: what computes it refuses",
    ),
    "the key of partitions": (
        f"CREATE TABLE t(x int) PARTITION BY RANGE ((x + f(1))); {PART} CREATE INDEX ON t(x);"
        "GRANT SELECT ON t TO anon; CREATE VIEW v AS SELECT * FROM t;",
        "The table public.t could not be rebuilt: division by zero",
    ),
    "a check": ("CREATE TABLE t(x int, CHECK (f(1) > 0));", "The check t_check of public.t could not be rebuilt"),
    "a key that others refer to": (
        "CREATE TABLE t(x int, y int, g int GENERATED ALWAYS AS (f(x)) STORED, PRIMARY KEY (x, g))"
        f" PARTITION BY RANGE (x); {PART} CREATE TABLE u(x int, g int, FOREIGN KEY (x, g) REFERENCES t);",
        "what computes it refuses",
    ),
}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("new", [False, True])
@pytest.mark.parametrize("what", REFUSED)
def test_every_row_is_proven_and_comes_back(
    what: str, new: bool, database, empty_database: str, store: Store, drill
) -> None:
    text, named = REFUSED[what]
    source = database(ONCE + text + ROWS + FAILS)

    manifest = exported(source, store, ALL)
    verdict = prove(manifest, store, server=drill)
    done = restore(manifest, store, (), Target(empty_database, new=new))

    assert (verdict.status, verdict.reasons, verdict.rows) == ("proven", [], 3)
    assert named in " ".join(verdict.amber)
    assert [note for note in done.notes if named in note]
    where = "t1" if "PARTITION" in text else "t"
    with psycopg.connect(empty_database) as connection:
        rows = connection.execute(f"SELECT x FROM {where} UNION ALL SELECT x FROM ok ORDER BY 1".encode()).fetchall()
    assert rows == [(1,), (2,), (5,)]


LATE = "CREATE TABLE z(v int); INSERT INTO z VALUES (10); CREATE FUNCTION l(int) RETURNS int IMMUTABLE "
SQL = LATE + "LANGUAGE sql AS 'SELECT $1 + max(v) FROM public.z';"
LATER = {
    "inlined": SQL + "CREATE TABLE t(x int, g int GENERATED ALWAYS AS (l(x)) STORED);",
    "inlined, never empty": SQL + "CREATE TABLE t(x int, g int NOT NULL GENERATED ALWAYS AS (l(x)) STORED);",
    "unique, checked, referred to": LATE
    + "LANGUAGE plpgsql AS 'BEGIN RETURN coalesce($1 + (SELECT max(v) FROM z), 0); END';"
    "CREATE TABLE t(x numeric, g numeric(9, 2) UNIQUE GENERATED ALWAYS AS (l(x::int)) STORED, CHECK (g > 0));"
    "CREATE TABLE a(g numeric(9, 2) REFERENCES t(g));",
    "from what another computes": SQL + "CREATE TABLE y(x int, g int GENERATED ALWAYS AS (l(x)) STORED);"
    "INSERT INTO y VALUES (3);"
    "CREATE FUNCTION m(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1 + (SELECT max(g) FROM y); END';"
    "CREATE TABLE t(x int, h int GENERATED ALWAYS AS (m(x)) STORED, i int GENERATED ALWAYS AS (x + 1) STORED);",
    "with a trigger on it": LATE
    + "LANGUAGE plpgsql AS 'BEGIN RETURN $1 + (SELECT max(v) FROM z); END';"
    + "CREATE TABLE t(x int, g int GENERATED ALWAYS AS (l(x)) STORED);"
    "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'begin raise exception ''no''; end';"
    "CREATE TRIGGER no BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION no();",
}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("new", [False, True])
@pytest.mark.parametrize("what", LATER)
def test_what_is_computed_from_rows_that_come_later_is_proven_whole(
    what: str, new: bool, database, empty_database: str, store: Store, drill
) -> None:
    source = database(LATER[what] + "INSERT INTO t(x) VALUES (1), (2);")

    manifest = exported(source, store, ALL)
    verdict = prove(manifest, store, server=drill)
    done = restore(manifest, store, (), Target(empty_database, new=new))

    assert (verdict.status, verdict.reasons, verdict.missing, done.notes) == ("proven", [], (), ())
    with psycopg.connect(empty_database) as here, psycopg.connect(source) as there:
        assert here.execute("TABLE t ORDER BY x").fetchall() == there.execute("TABLE t ORDER BY x").fetchall()
    assert dumped(empty_database, "--schema-only") == dumped(source, "--schema-only")


def test_what_cannot_come_out_again_changes_no_row(database, empty_database: str, store: Store) -> None:
    text = LATER["inlined"] + "INSERT INTO t(x) VALUES (1), (2); UPDATE z SET v = 11;"

    done = restore(exported(database(text), store, ALL), store, (), Target(empty_database))

    assert "computed values public.t differ" in " ".join(done.notes)
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("SELECT count(*) FROM t WHERE ctid > '(0,2)'").fetchone() == (0,)


@pytest.mark.parametrize("text", ["CREATE TABLE t(x int, y int NOT NULL)", "CREATE VIEW v AS SELECT 1", "no SQL"])
def test_only_computed_columns_are_let_go(text: str) -> None:
    assert without_code(text) == ("", [])
