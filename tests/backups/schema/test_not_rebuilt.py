"""What rows, or code that they go through, refuse to have rebuilt: rows are proven and come back, the rest is named."""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import Any

import psycopg
import pytest

from backups.archive import builder
from backups.archive.loader import Loader
from backups.archive.manifest import Segment, Table
from backups.archive.source import Surroundings
from backups.policy_spec import PolicySpec
from backups.progress import SILENT
from backups.proof.prove import prove
from backups.restore.into_empty import Target, restore
from migrations_registry.fingerprint import compare
from migrations_registry.fingerprint.model import of_rows
from providers import postgres
from providers.errors import ProviderError
from providers.postgres.schema.objects import objects_in_transaction
from providers.storage.base import Store
from tests.backups.conftest import exported

pytestmark = pytest.mark.slow

ALL = PolicySpec("whole", "production", ("*",))
FUNCTION = "CREATE OR REPLACE FUNCTION f(x {0}) RETURNS {0} LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN {1}; END $$;"
ONCE = FUNCTION.format("int", "RETURN x")  # declared immutable; it answers otherwise from some day on
SEVEN, NONE, FAILS = (FUNCTION.format("int", body) for body in ("RETURN 7", "RETURN NULL", "RAISE division_by_zero"))
COMPUTED = "CREATE TABLE t(x int, g int GENERATED ALWAYS AS (f(x)) STORED{}); "
ROWS = "INSERT INTO {}(x) VALUES (1), (2); "
PARTS = "CREATE TABLE t1 PARTITION OF t FOR VALUES {}; CREATE TABLE t2 PARTITION OF t FOR VALUES {}; "
LISTS = ONCE + "CREATE TABLE t(x int) PARTITION BY LIST (f(x)); " + PARTS.format("IN (1)", "IN (2)") + ROWS.format("t")
SPAN = FUNCTION.replace("RETURNS {0}", "RETURNS int4range")
CASES = {  # how the database is made, what of it is named
    "computed to another value": (ONCE + COMPUTED.format("") + ROWS.format("t") + SEVEN, "computed values public.t"),
    "a check of a computed column": (
        ONCE + COMPUTED.format(" CHECK (g < 5)") + ROWS.format("t") + SEVEN,
        "t_g_check of public.t could not be rebuilt: check violation (23514), table t. It is there as NOT VALID.",
    ),
    "computed to nothing": (ONCE + COMPUTED.format(" NOT NULL") + ROWS.format("t") + NONE, "public.t.g: what computes"),
    "not computed": (
        ONCE + COMPUTED.format("") + ROWS.format("t") + FAILS,
        "public.t.g: what computes it refuses rows",
    ),
    "not computed in partitions": (
        ONCE
        + "CREATE TABLE t(x int, g int GENERATED ALWAYS AS (f(x)) STORED) PARTITION BY RANGE (x);"
        + PARTS.format("FROM (0) TO (2)", "FROM (2) TO (9)")
        + ROWS.format("t")
        + FAILS,
        "public.t.g: what computes it refuses rows",
    ),
    "a unique computed column": (
        ONCE + COMPUTED.format(" UNIQUE") + ROWS.format("t") + SEVEN,
        "The unique t_g_key could not be rebuilt: unique violation (23505)",
    ),
    "a reference to a lost key": (
        ONCE
        + COMPUTED.format(" PRIMARY KEY")
        + ROWS.format("t")
        + "CREATE TABLE u(g int REFERENCES t); INSERT INTO u VALUES (1);"
        + SEVEN,
        "The foreign key u_g_fkey could not be rebuilt",
    ),
    "a unique index": (
        ONCE + "CREATE TABLE t(x int); CREATE UNIQUE INDEX u ON t(f(x)); " + ROWS.format("t") + SEVEN,
        "The index u could not be rebuilt: unique violation (23505)",
    ),
    "an index": (
        ONCE + "CREATE TABLE t(x int); CREATE INDEX u ON t(f(x)); " + ROWS.format("t") + FAILS,
        "The index u could not be rebuilt: division by zero (22012)",
    ),
    "an exclusion": (
        SPAN.format("int", "RETURN int4range(x, x, '[]')")
        + "CREATE TABLE t(x int, CONSTRAINT ex EXCLUDE USING gist (f(x) WITH &&)); "
        + ROWS.format("t")
        + SPAN.format("int", "RETURN int4range(1, 9)"),
        "The exclusion ex could not be rebuilt: exclusion violation (23P01)",
    ),
    "a filled view": (
        ONCE
        + "CREATE TABLE t(x int); "
        + ROWS.format("t")
        + "CREATE MATERIALIZED VIEW m AS SELECT f(x) FROM t;"
        + FAILS,
        "The materialized view data public.m could not be rebuilt: division by zero (22012)",
    ),
    "a reference that points to nothing": (
        "CREATE TABLE a(id int PRIMARY KEY); CREATE TABLE t(x int REFERENCES a ON DELETE CASCADE);"
        "INSERT INTO a VALUES (1), (2); INSERT INTO t VALUES (1), (2);"
        "SET session_replication_role = replica; DELETE FROM a; RESET session_replication_role",
        "t_x_fkey could not be rebuilt: foreign key violation (23503), constraint t_x_fkey, table t. It is there as",
    ),
    "no partition takes them": (LISTS + FUNCTION.format("int", "RETURN 9"), "public.t1: its rows were compared, not"),
    "partitions by code that fails": (LISTS + FAILS, "public.t1: its rows were compared, not their place"),
}


def rows(dsn: str) -> list[tuple[int]]:
    with psycopg.connect(dsn) as connection:
        tables = (
            "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        )
        names = [name for (name,) in connection.execute(tables) if name in ("t", "t1", "t2")]
        found = [row for name in names for row in connection.execute(f"SELECT x FROM ONLY {name}").fetchall()]
    return sorted(found)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("new", [False, True])
@pytest.mark.parametrize("what", CASES)
def test_it_is_proven_in_part_and_every_row_comes_back(
    what: str, new: bool, database, empty_database: str, store: Store, drill
) -> None:
    text, named = CASES[what]
    source = database(text)

    manifest = exported(source, store, ALL)
    verdict = prove(manifest, store, server=drill)
    done = restore(manifest, store, (), Target(empty_database, new=new))

    assert (verdict.status, verdict.reasons) == ("proven", [])
    assert named in " ".join(verdict.amber)
    assert [note for note in done.notes if named in note]
    assert rows(empty_database) == rows(source) == [(1,), (2,)]


def test_computed_columns_that_are_the_same_are_proven_whole(
    database, empty_database: str, store: Store, drill
) -> None:
    source = database(
        "CREATE TABLE late(v int); INSERT INTO late VALUES (3);"
        + FUNCTION.format("int", "RETURN (SELECT v * x FROM late)")
        + COMPUTED.format("")
        + "CREATE TABLE u(x text, g text GENERATED ALWAYS AS (lower(x)) STORED); INSERT INTO u VALUES ('A'), (NULL);"
    )

    manifest = exported(source, store, ALL)
    verdict = prove(manifest, store, server=drill)
    done = restore(manifest, store, (), Target(empty_database))

    assert (verdict.status, verdict.reasons, verdict.amber, done.notes) == ("proven", [], (), ())


LATE = "CREATE TABLE z(v int); INSERT INTO z VALUES (1); CREATE FUNCTION late(int) RETURNS bool LANGUAGE sql"
LATE += " AS 'SELECT EXISTS (SELECT FROM z)'; CREATE DOMAIN late AS int CHECK (late(VALUE));"


@pytest.mark.parametrize("name", ["t stopped: x", "t stopped: check violation"])
def test_a_table_whose_name_is_like_a_message_loses_no_row(name: str, database, store: Store, drill) -> None:
    both = "".join(f'CREATE TABLE "{each}"(x late[]); INSERT INTO "{each}" VALUES (\'{{1}}\');' for each in ("t", name))

    verdict = prove(exported(database(LATE + both), store, ALL), store, server=drill)

    assert (verdict.status, verdict.reasons, verdict.amber, verdict.rows) == ("proven", [], (), 3)


def test_an_index_whose_function_the_planner_cannot_follow_hides_no_computed_value(
    database, store: Store, drill
) -> None:
    source = database(
        "CREATE FUNCTION one(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'select $1';"
        "CREATE FUNCTION two(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'select $1';"
        "CREATE TABLE t(x int, g int GENERATED ALWAYS AS (x + 1) STORED); CREATE INDEX ON t (two(x));"
        "CREATE OR REPLACE FUNCTION two(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'select one($1)';"
        "INSERT INTO t VALUES (1)"
    )

    verdict = prove(exported(source, store, ALL), store, server=drill)

    assert (verdict.status, verdict.reasons, verdict.amber) == ("proven", [], ())


SIGNS = dict(zip("abcde", ("<", "<=", "=", ">=", ">"), strict=True))
WAY = "CREATE OR REPLACE FUNCTION way(text, text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT bttextcmp({}, {})';"
ORDER = WAY.format("$1", "$2") + "".join(
    f"CREATE FUNCTION is_{name}(text, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT way($1, $2) {sign} 0';"
    f"CREATE OPERATOR {sign}~ (FUNCTION = is_{name}, LEFTARG = text, RIGHTARG = text);"
    for name, sign in SIGNS.items()
)
ORDER += "CREATE OPERATOR CLASS way FOR TYPE text USING btree AS FUNCTION 1 way(text, text), "
ORDER += ", ".join(f"OPERATOR {number} {sign}~" for number, sign in enumerate(SIGNS.values(), 1))
ORDER += "; CREATE TABLE t(x text) PARTITION BY RANGE (x way);"


@pytest.fixture
def judged_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second session begins with t2 when the first has judged t1, or after a second without."""
    judged, load, judge = Event(), Loader.load_once, builder.whole_tree

    def later(loader: Loader, tables: list[Table], new: bool = False) -> dict[str, dict[str, Segment]]:
        judged.wait(tables[0].name == "t2")
        return load(loader, tables, new)

    def told(*given: Any) -> str:
        root = judge(*given)
        judged.set()
        return root

    monkeypatch.setattr(Loader, "load_once", later)
    monkeypatch.setattr(builder, "whole_tree", told)


def test_rows_that_came_through_the_root_are_compared_once_all_are_there(
    database, empty_database: str, store: Store, judged_early: None
) -> None:
    way = WAY.format("translate($1, ''b'', ''o'')", "translate($2, ''b'', ''o'')")
    parts = PARTS.format("FROM ('a') TO ('n')", "FROM ('n') TO ('p')")
    source = database(ORDER + parts + "INSERT INTO t VALUES ('b'), ('c'), ('o');" + way)

    done = restore(exported(source, store, ALL), store, (), Target(empty_database, new=True))

    assert [note for note in done.notes if "public.t: rows came through it" in note]
    assert rows(empty_database) == [("b",), ("c",), ("o",)]


@pytest.mark.parametrize("new", [False, True])
@pytest.mark.parametrize(
    ("moved", "where"), [("o", "public.t: rows came through it"), ("z", "public.t1: its rows were")]
)
def test_text_that_another_order_puts_elsewhere_is_restored(
    moved: str, where: str, new: bool, database, empty_database: str, store: Store
) -> None:
    """Through the root; what that has no place for stands beside it."""
    way = WAY.format(*(f"translate(${number}, ''b'', ''{moved}'')" for number in (1, 2)))
    parts = PARTS.format("FROM ('a') TO ('n')", "FROM ('n') TO ('p')")
    source = database(ORDER + parts + "INSERT INTO t VALUES ('b'), ('c'), ('o');" + way)

    done = restore(exported(source, store, ALL), store, (), Target(empty_database, new=new))

    assert [note for note in done.notes if where in note]
    assert rows(empty_database) == [("b",), ("c",), ("o",)]


@pytest.mark.parametrize(("provider", "amber"), [("icu", ["public.t"]), ("", [])])
def test_a_range_of_text_that_is_none_in_another_order_is_not_checked(
    provider: str, amber: list[str], database, empty_database: str, store: Store
) -> None:
    """No server here has ICU: the manifest says that the source had, and what loading such a row answers is given."""
    manifest = exported(database("CREATE TABLE t(x int); INSERT INTO t VALUES (1)"), store, ALL)
    around = replace(manifest.surroundings, provider=provider, collate="en" * bool(provider), locale="")
    manifest = replace(manifest, surroundings=around if provider else Surroundings())
    with postgres.connect(empty_database, read_only=False) as connection:
        loader = Loader(manifest, store, connection, (), SILENT, lenient=True)

        assert loader._is_unreadable_here(manifest.tables[0], "22000") is bool(amber)

    assert [table for table, _ in loader.amber] == amber


def test_a_note_about_a_root_compares_nothing(database, empty_database: str, store: Store) -> None:
    manifest = exported(database(LISTS), store, ALL)
    with postgres.connect(empty_database, read_only=False) as connection:
        loader = Loader(manifest, store, connection, (), SILENT, amber={"public.t": "a note"})
        loader.build("before", everything=True)
        loader.compare_whole(manifest.tables)

    assert [text for text in loader.problems if "differs from the snapshot" in text]


def test_no_state_leaves_rows_of_the_audit_unread(sampelit_copy, empty_database: str, store: Store) -> None:
    manifest = exported(sampelit_copy["export"], store, ALL)
    with postgres.connect(empty_database, read_only=False) as connection:
        loader = Loader(manifest, store, connection, (), SILENT, lenient=True, stand_ins=["an order"])

        assert not any(loader._is_unreadable_here(table, "22000") for table in manifest.audit_tables)


def test_what_code_raises_is_no_state_of_the_server(empty_database: str) -> None:
    made = (
        "SET search_path = public;"
        + FUNCTION.format("int", "RAISE data_exception")
        + "CREATE TABLE t(x int CHECK (f(x) > 0))"
    )
    with postgres.connect(empty_database, read_only=False) as connection:
        connection.execute(made.encode())

        with pytest.raises(ProviderError) as failed:
            postgres.copy_in(connection, ("public", "t"), ["x"], "csv", [b"x\n1\n"])

    assert ("22000" in failed.value.message, failed.value.sqlstate) == (True, "")


def labelled(dsn: str, label: str) -> None:
    """No label provider comes without C: the label is written where one would have put it."""
    with psycopg.connect(dsn) as connection:
        connection.execute("SET allow_system_table_mods = on")
        connection.execute("DELETE FROM pg_seclabel")
        connection.execute(
            "INSERT INTO pg_seclabel VALUES ('t'::regclass, 'pg_class'::regclass, 0, 'guard', %s)",
            [label],
        )


def test_security_labels_are_declared_where_no_provider_is(
    database, empty_database: str, store: Store, drill, tmp_path
) -> None:
    source = database("CREATE EXTENSION hstore; COMMENT ON EXTENSION hstore IS 'mine'; CREATE TABLE t(x int)")
    labelled(source, "secret")

    manifest = exported(source, store, ALL)
    verdict = prove(manifest, store, server=drill)
    done = restore(manifest, store, (), Target(empty_database))

    assert (verdict.status, verdict.reasons) == ("proven", [])
    assert "The security label public.TABLE t could not be rebuilt" in " ".join(verdict.missing)
    assert "security label table public.t is missing" in " ".join(done.notes)
    assert "Comments on extensions that are not their own: hstore." in done.notes


def test_another_security_label_is_drift(database) -> None:
    dsn, seen = database("CREATE TABLE t(x int)"), []
    for label in ("secret", "public"):
        labelled(dsn, label)
        with psycopg.connect(dsn) as connection:
            objects = objects_in_transaction(connection)
        seen.append(of_rows((o.kind, o.name, o.of, o.sql) for o in objects))

    assert [str(change) for change in compare(*seen)] == ["security label table public.t changed"]


def test_a_duplicate_decision_is_no_run_in_part(sampelit_copy, store: Store, drill) -> None:
    """The audit trail breaks no rule of its own: not by code, and not by whoever took its guards away."""
    with psycopg.connect(sampelit_copy["admin"]) as connection:
        connection.execute("UPDATE pg_index SET indisunique = false WHERE indrelid = 'algorithm_audit_trail'::regclass")
    with psycopg.connect(sampelit_copy["admin"]) as connection:
        connection.execute("INSERT INTO algorithm_audit_trail SELECT * FROM algorithm_audit_trail ORDER BY 1 LIMIT 1")
        connection.execute("UPDATE pg_index SET indisunique = true WHERE indrelid = 'algorithm_audit_trail'::regclass")

    verdict = prove(exported(sampelit_copy["export"], store, ALL), store, server=drill)

    assert verdict.status == "failed"
    assert "unique violation (23505)" in " ".join(verdict.reasons)
