"""What stands beside a definition, not in it: its tablespace, its access method, how its strings are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from backups.policy_spec import PolicySpec
from backups.proof.prove import prove
from backups.restore.into_empty import Target, restore
from providers.postgres.schema.comparison import Sides, differences
from providers.postgres.schema.consequences import EXPLAINED, FOLLOWS, UNEXPLAINED, Lost
from providers.postgres.schema.partitions import IDENTITY_BY_VERSION, NAMED_BY_SERVER
from providers.storage.base import Store
from tests import portal_database
from tests.backups.conftest import exported

ALL = PolicySpec("whole", "production", ("*",))
STRINGS = "CREATE TABLE t(x text DEFAULT E'a\\\\b' CHECK (x <> E'\\\\\\\\'), y int[] DEFAULT '{NULL}');"
STRINGS += " INSERT INTO t(y) VALUES (NULL);"
STRINGS += "CREATE VIEW v AS SELECT E'c\\\\d'::text AS x FROM t WHERE y IS NULL OR y[1] = NULL::int"
READ_OTHERWISE = ["standard_conforming_strings = off", "array_nulls = off", "transform_null_equals = on"]
SAID = """
    SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace UNION ALL SELECT pg_get_viewdef('v'::regclass) ORDER BY 1
"""
PLACED = (
    "CREATE TABLE {0}(id int PRIMARY KEY USING INDEX TABLESPACE {1}, x text) TABLESPACE {1};"
    "INSERT INTO {0} VALUES (1, 'a'); CREATE INDEX i ON {0} (x) TABLESPACE {1};"
    "CREATE TABLE p(x int) PARTITION BY LIST (x) TABLESPACE {1}; CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);"
    "CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2) TABLESPACE pg_default; INSERT INTO p VALUES (1), (2);"
    "CREATE MATERIALIZED VIEW m TABLESPACE {1} AS SELECT 1 AS x"
)
WHERE = """
    SELECT relname, reltablespace FROM pg_class WHERE relkind IN ('r', 'p', 'i', 'm') AND relnamespace = 2200 ORDER BY 1
"""


@pytest.fixture
def tablespace() -> Iterator[str]:
    """Of the server that sources and targets are on; a drill has none of that name."""
    with psycopg.connect(portal_database.server.dsn("postgres"), autocommit=True) as connection:
        connection.execute("SET allow_in_place_tablespaces = on")
        connection.execute("CREATE TABLESPACE \"sp ace\" LOCATION ''")
        yield '"sp ace"'
        connection.execute('DROP TABLESPACE "sp ace"')


def told(dsn: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn, options="-c standard_conforming_strings=on") as connection:
        return connection.execute(query.encode()).fetchall()


def set_in(dsn: str, settings: list[str]) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for text in settings:
            connection.execute(f"ALTER DATABASE {connection.info.dbname} SET {text}".encode())


@pytest.mark.parametrize("side", ["source", "target"])
def test_strings_are_read_as_they_were_written(
    side: str, database: Callable[[str], str], empty_database: str, store: Store, drill
) -> None:
    source = database(STRINGS)
    set_in(source if side == "source" else empty_database, READ_OTHERWISE)

    manifest = exported(source, store, ALL)
    verdict = prove(manifest, store, server=drill)
    done = restore(manifest, store, (), Target(empty_database))

    assert (verdict.status, verdict.reasons, done.notes) == ("proven", [], ())
    assert told(empty_database, SAID) == told(source, SAID)


@pytest.mark.parametrize("table", ["t", '"T DROP CONSTRAINT ""x"'])
def test_tablespaces_come_back_where_the_server_has_them(
    table: str, tablespace: str, database: Callable[[str], str], empty_database: str, store: Store, drill
) -> None:
    source = database(PLACED.format(table, tablespace))

    manifest = exported(source, store, ALL)
    verdict = prove(manifest, store, server=drill)
    done = restore(manifest, store, (), Target(empty_database))

    assert (verdict.status, verdict.reasons) == ("proven", [])
    assert "table public.p1 differs (tablespace)" in " ".join(verdict.missing)
    assert (told(empty_database, WHERE), done.notes) == (told(source, WHERE), ())


ROOT = ("table", "public.r", "", "CREATE TABLE public.r () PARTITION BY LIST (x)")
LEAF = ("table", "public.l", "", "CREATE TABLE public.l () INHERITS (public.r); -- FOR VALUES IN (1)")


def key(name: str, of: str = "public.l", onto: str = "public.o", more: str = "") -> tuple[str, str, str, str]:
    text = f"ALTER TABLE {of} ADD CONSTRAINT {name} FOREIGN KEY (x) REFERENCES {onto}(x){more}"
    return "constraint", f"{of}.{name}", of, text


@pytest.mark.parametrize(
    ("source", "found", "reasons"),
    [
        ([key("own")], [key("other")], {NAMED_BY_SERVER}),
        ([key("a", "public.o", "public.l")], [key("b", "public.o", "public.l")], {NAMED_BY_SERVER}),
        ([key("a", "public.o")], [key("b", "public.o")], {UNEXPLAINED}),
        ([key("own")], [], {UNEXPLAINED}),
        ([key("own"), key("twin")], [key("other")], {NAMED_BY_SERVER, UNEXPLAINED}),
        ([key("own")], [key("other", more=" NOT VALID")], {UNEXPLAINED}),
        ([key("own")], [key("other", onto="public.q")], {UNEXPLAINED}),
        ([key("a"), key("b", onto="public.q")], [key("b"), key("a", onto="public.q")], {NAMED_BY_SERVER}),
    ],
)
def test_only_keys_of_partitions_may_have_another_name(source, found, reasons) -> None:
    said = differences([ROOT, LEAF, *source], [ROOT, LEAF, *found], Sides("o", "o"))

    assert {each.reason for each in said} == reasons


@pytest.mark.parametrize(
    ("of", "other_major", "reason"),
    [("public.l", True, IDENTITY_BY_VERSION), ("public.l", False, UNEXPLAINED), ("public.o", True, UNEXPLAINED)],
)
def test_only_partitions_of_older_servers_lack_identity(of: str, other_major: bool, reason: str) -> None:
    column = ("column", f"{of}.id", of, f"ALTER TABLE {of} ADD COLUMN id bigint NOT NULL")
    now = (*column[:3], f"{column[3]} GENERATED ALWAYS AS IDENTITY")

    (said,) = differences([LEAF, column], [LEAF, now], Sides("o", "o", other_major=other_major))

    assert said.reason == reason


@pytest.mark.parametrize(
    ("was", "now", "reason"),
    [
        ("; -- TABLESPACE a b; -- OWNER o", "; -- OWNER o", "tablespace"),
        ("; -- ACCESS METHOD x; -- TABLESPACE a; -- OWNER o", "; -- OWNER o", "access method and tablespace"),
        ("; -- TABLESPACE a; -- REPLICA IDENTITY f; -- OWNER o", "; -- OWNER o", UNEXPLAINED),
        ("; -- TOAST ; -- OWNER o", "; -- OWNER o", None),
        ("; -- TOAST autovacuum_enabled=false; -- OWNER o", "; -- OWNER o", "options of large values"),
    ],
)
def test_a_place_excuses_nothing_but_itself(was: str, now: str, reason: str | None) -> None:
    said = differences([("table", "public.t", "", f"C{was}")], [("table", "public.t", "", f"C{now}")], Sides("o", "o"))

    assert [each.reason for each in said] == ([] if reason is None else [reason])


@pytest.mark.parametrize(
    ("lost", "name", "reason"),
    [
        (Lost("cast", "CAST (public.c AS text)"), "public.c as text", EXPLAINED),
        (Lost("cast", "CAST (public.c AS integer)"), "public.c as text", UNEXPLAINED),
        (Lost("type", "public.c"), "public.c as public.c_multirange", FOLLOWS),
        (Lost("type", "public.c"), "text as public.c", FOLLOWS),
        (Lost("type", "public.d"), "text as public.c", UNEXPLAINED),
        (Lost("function", "public.c"), "text as public.c", UNEXPLAINED),
        (Lost("tablespace", "public.c as text"), "public.c as text", UNEXPLAINED),
    ],
)
def test_a_cast_goes_with_its_type_and_by_itself(lost: Lost, name: str, reason: str) -> None:
    (said,) = differences([("cast", name, "", "-- CAST")], [], Sides("o", "o", lost=[lost]))

    assert said.reason == reason
