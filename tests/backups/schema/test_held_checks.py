"""CHECKs that rows passed when they were written and pass no longer: the rows are proven and come back, all is said."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from backups.policy_spec import PolicySpec
from backups.proof.prove import prove
from backups.restore import in_place
from backups.restore.into_empty import Target, restore
from providers.errors import ProviderError
from providers.storage.base import Store
from tests.backups.conftest import exported
from tests.backups.schema.conftest import dumped

pytestmark = pytest.mark.slow

ALL = PolicySpec("whole", "production", ("*",))
SOON = "now() + interval '1 ms'"  # legal in its own transaction, over in any other
SET = "SET app.top = '10'; "
TOP = "coalesce(nullif(current_setting('app.top', true), ''), '1')::int"
TABLE = "CREATE TABLE t(id int PRIMARY KEY, {}); "
COMMENT = "; COMMENT ON CONSTRAINT once ON {} t IS 'it''s \"so\"'"
NO_LONGER = {
    "the time": TABLE.format("x timestamptz CONSTRAINT once CHECK (x > now())")
    + f"INSERT INTO t VALUES (1, {SOON})"
    + COMMENT.format(""),
    "a setting": SET + TABLE.format(f"x int CONSTRAINT once CHECK (x <= {TOP})") + "INSERT INTO t VALUES (1, 5)",
    "a table": "CREATE TABLE a(top int); INSERT INTO a VALUES (10);"
    "CREATE FUNCTION top() RETURNS int LANGUAGE sql STABLE AS 'SELECT top FROM a';"
    + TABLE.format("x int CONSTRAINT once CHECK (x <= top())")
    + "INSERT INTO t VALUES (1, 5); UPDATE a SET top = 1",
    "an operator": SET
    + f"CREATE FUNCTION low(int, int) RETURNS bool LANGUAGE sql IMMUTABLE AS $$SELECT $1 - $2 <= {TOP}$$;"
    "CREATE OPERATOR <~ (FUNCTION = low, LEFTARG = int, RIGHTARG = int);"
    + TABLE.format("x int CONSTRAINT once CHECK (x <~ 0)")
    + "INSERT INTO t VALUES (1, 5)",
    "partitions": "CREATE TABLE t(id int PRIMARY KEY, x timestamptz CONSTRAINT once CHECK (x > now())) PARTITION BY"
    f" RANGE (id); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (9); INSERT INTO t VALUES (1, {SOON})",
    "a domain": "CREATE DOMAIN d AS timestamptz CONSTRAINT once CHECK (VALUE > now()); CREATE DOMAIN e AS d;"
    + TABLE.format("x d, y e")
    + f"INSERT INTO t VALUES (1, {SOON}, {SOON}); COMMENT ON CONSTRAINT once ON DOMAIN d IS 'so'",
    "a domain in arrays": "CREATE DOMAIN d AS timestamptz CONSTRAINT once CHECK (VALUE > now());"
    + TABLE.format("x d[]")
    + f"INSERT INTO t VALUES (1, ARRAY[{SOON}]::d[]), (2, '{{}}')",
}


def told(dsn: str) -> list[str]:
    """Rows and comments."""
    return [line for line in dumped(dsn) if line.startswith(("INSERT ", "COMMENT "))]


def validated(dsn: str) -> list[tuple[bool]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute("SELECT DISTINCT convalidated FROM pg_constraint WHERE conname = 'once'").fetchall()


@pytest.mark.parametrize("new", [False, True])
@pytest.mark.parametrize("asks", NO_LONGER)
def test_what_passed_once_is_proven_and_comes_back(
    asks: str, new: bool, database, empty_database: str, store: Store, drill
) -> None:
    source = database(NO_LONGER[asks])

    manifest = exported(source, store, ALL)
    verdict = prove(manifest, store, server=drill)
    done = restore(manifest, store, (), Target(empty_database, new=new))

    assert (verdict.status, verdict.reasons) == ("proven", [])
    assert "The check once of public." in " ".join(verdict.amber)
    assert "It is there as NOT VALID." in " ".join(verdict.amber)
    assert [note for note in done.notes if "The check once of public." in note]
    assert validated(empty_database) == [(False,)]
    assert told(empty_database) == told(source)


def test_what_still_passes_is_whole(database, empty_database: str, store: Store, drill) -> None:
    source = database(
        "CREATE DOMAIN d AS date CONSTRAINT dc CHECK (VALUE <= CURRENT_DATE);"
        "COMMENT ON CONSTRAINT dc ON DOMAIN d IS 'd';"
        "CREATE TABLE t(x d, y date CONSTRAINT c CHECK (y <= CURRENT_DATE), z d[]);"
        "COMMENT ON CONSTRAINT c ON t IS 'c';"
        "INSERT INTO t VALUES ('2020-01-01', '2020-01-01', '{2020-01-01}');"
        "CREATE EXTENSION cube; CREATE EXTENSION earthdistance;"  # whose domain is not ours to change
        "CREATE TABLE e(x earth); INSERT INTO e VALUES (ll_to_earth(0, 0))"
    )

    manifest = exported(source, store, ALL)
    verdict = prove(manifest, store, server=drill)
    done = restore(manifest, store, (), Target(empty_database))

    assert (verdict.status, verdict.reasons, verdict.amber) == ("proven", [], ())
    assert (dumped(empty_database), done.notes) == (dumped(source), ())


@pytest.mark.parametrize("asks", [name for name in NO_LONGER if name != "partitions"])
def test_live_tables_get_such_rows_back(asks: str, database, store: Store, drill) -> None:
    source = database(NO_LONGER[asks])
    manifest = exported(source, store, ALL)
    rows = told(source)
    with psycopg.connect(source) as connection:
        connection.execute("DELETE FROM t")

    differences = {item.table: item for item in in_place.compare(manifest, store, (), source, server=drill)}
    done = in_place.apply(manifest, store, (), source)

    assert differences["public.t"].added == len([row for row in rows if "INTO public.t " in row])
    assert told(source) == rows
    assert [note for note in done.notes if "The check once of public." in note]
    assert validated(source) == [(False,)]
    assert done.not_valid == (("public", "d" if "domain" in asks else "t", "once"),)


def test_a_live_check_that_refuses_nothing_stays_valid(database, store: Store) -> None:
    source = database(NO_LONGER["the time"])
    manifest = exported(source, store, ALL)

    done = in_place.apply(manifest, store, (), source)

    assert (done.written, done.notes, done.not_valid, validated(source)) == (0, (), (), [(True,)])


def test_a_row_that_an_immutable_check_refuses_is_no_row_of_the_run(database, store: Store, drill) -> None:
    source = database("CREATE TABLE t(x int CONSTRAINT once CHECK (x > 0)); INSERT INTO t VALUES (1)")
    with psycopg.connect(source) as connection:
        connection.execute("ALTER TABLE t DISABLE TRIGGER ALL")
        connection.execute("ALTER TABLE t DROP CONSTRAINT once; UPDATE t SET x = -1")
        connection.execute("ALTER TABLE t ADD CONSTRAINT once CHECK (x > 0) NOT VALID")
        connection.execute("UPDATE pg_constraint SET convalidated = true WHERE conname = 'once'")

    verdict = prove(exported(source, store, ALL), store, server=drill)

    assert verdict.status == "failed"
    assert "check violation (23514), table t" in " ".join(verdict.reasons)


HASHED = "CREATE TYPE mood AS ENUM ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'); "
HASHED += "CREATE TABLE t(m mood, n int, PRIMARY KEY (m, n)) PARTITION BY HASH (m);"
HASHED += "CREATE TABLE t0 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0);"
HASHED += "CREATE TABLE t1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1);"
HASHED += "INSERT INTO t SELECT m, n FROM unnest(enum_range(NULL::mood)) m, generate_series(1, 9) n"


def test_rows_that_a_hash_of_this_server_puts_elsewhere_are_proven(database, store: Store, drill) -> None:
    verdict = prove(exported(database(HASHED), store, ALL), store, server=drill)

    assert (verdict.status, verdict.reasons) == ("proven", [])
    assert "a restore brings them through the root" in " ".join(verdict.amber)


@pytest.mark.parametrize("new", [False, True])
def test_such_rows_are_restored_through_the_root(new: bool, database, empty_database: str, store: Store) -> None:
    source = database(HASHED)

    done = restore(exported(source, store, ALL), store, (), Target(empty_database, new=new))

    assert [note.partition(" ")[0] for note in done.notes] == ["public.t:"]
    assert through_root(empty_database) == through_root(source)


def through_root(dsn: str) -> list[tuple[str, int]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute("SELECT m::text, n FROM t ORDER BY m, n").fetchall()


def test_a_row_too_many_in_such_a_tree_is_told(database, empty_database: str, store: Store) -> None:
    manifest = exported(database(HASHED), store, ALL)
    other = [replace(t, segments=tuple(replace(s, digest="1") for s in t.segments)) for t in manifest.tables]

    with pytest.raises(ProviderError, match="what arrived differs from the snapshot"):
        restore(replace(manifest, tables=tuple(other)), store, (), Target(empty_database))


def test_rows_of_such_partitions_come_back_to_live_tables(database, store: Store, drill) -> None:
    source = database(HASHED)
    manifest, rows = exported(source, store, ALL), told(source)
    with psycopg.connect(source) as connection:
        connection.execute("DELETE FROM t WHERE n > 3")

    differences = in_place.compare(manifest, store, (), source, server=drill)
    in_place.apply(manifest, store, (), source)

    assert (sum(item.added for item in differences), told(source)) == (48, rows)
