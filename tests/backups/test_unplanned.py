"""Tables on which the server plans no query: COPY reads them, their bytes are compared, all others are proven."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest

from backups.policy_spec import PolicySpec
from backups.proof.prove import prove
from backups.restore.into_empty import Target, restore
from providers.errors import ProviderError
from providers.storage.base import Store
from tests import portal_database
from tests.backups.conftest import exported
from tests.backups.schema.conftest import databases_on

ALL = PolicySpec("whole", "production", ("*",))
ROWS = "CREATE TABLE t(x int, s text, g int GENERATED ALWAYS AS (x + 1) STORED);"
ROWS += "INSERT INTO t SELECT i, md5(i::text) FROM generate_series(1, 3000) i; DELETE FROM t WHERE x % 7 = 0;"
ROWS += (
    "UPDATE t SET s = 'moved' WHERE x % 5 = 0; CREATE TABLE whole(id int PRIMARY KEY); INSERT INTO whole VALUES (1);"
)
CODE = "CREATE FUNCTION f(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'begin return $1; end';"
FAILS = "CREATE OR REPLACE FUNCTION f(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'begin return 1 / ($1 - $1); end';"
LOST = "UPDATE pg_proc SET prosrc = 'none', probin = '$libdir/no_such_library', prolang = 13 WHERE proname = 'f';"
BROKEN = {
    "an index over an expression": (CODE, "CREATE INDEX ON t ((x + f(1)));", FAILS),
    "a partial index": (CODE, "CREATE UNIQUE INDEX ON t (x) WHERE x > f(0);", FAILS),
    "statistics over an expression": (CODE, "CREATE STATISTICS st ON (x + f(1)), s FROM t; ANALYZE t;", FAILS),
    "an exclusion": (CODE, "ALTER TABLE t ADD EXCLUDE USING btree ((x + f(1)) WITH =);", FAILS),
    "a library that is gone": (CODE, "CREATE INDEX ON t ((x + f(1)));", LOST),
    "a function whose table is gone": (
        "CREATE TABLE gone(y int); CREATE FUNCTION f(int) RETURNS int LANGUAGE sql IMMUTABLE AS"
        " 'select $1 + 0 * count(*)::int from public.gone';",
        "CREATE INDEX ON t ((x + f(1)));",
        "DROP TABLE gone;",
    ),
    "a leaf": (
        CODE + "ALTER TABLE t RENAME TO u; CREATE TABLE p(LIKE u INCLUDING GENERATED) PARTITION BY LIST (x);"
        "CREATE TABLE t PARTITION OF p DEFAULT; INSERT INTO t SELECT x, s FROM u; DROP TABLE u;",
        "CREATE INDEX ON p ((x + f(1)));",
        FAILS,
    ),
}


def copied(connection: psycopg.Connection) -> list[bytes]:
    with connection.cursor().copy("COPY t (x, s) TO STDOUT") as copy:
        return sorted(map(bytes, copy))


@pytest.mark.parametrize("kind", BROKEN)
def test_a_table_that_no_query_reads_is_amber_and_the_others_are_proven(
    kind: str, database: Callable[[str], str], empty_database: str, store: Store, drill
) -> None:
    code, use, broken = BROKEN[kind]
    source = database(ROWS + code + use)
    with psycopg.connect(source, autocommit=True) as connection:
        before = copied(connection)
        connection.execute("SET allow_system_table_mods = on")
        connection.execute(broken.encode())
    with psycopg.connect(source) as connection, pytest.raises(psycopg.Error):
        connection.execute("SELECT x FROM t")

    manifest = exported(source, store, ALL)
    verdict = prove(manifest, store, server=drill)
    done = restore(manifest, store, (), Target(empty_database))

    assert (verdict.status, verdict.reasons) == ("proven", [])
    assert "public.t" in verdict.tables_in_part
    assert "public.whole" not in verdict.tables_in_part
    assert "PostgreSQL plans no query on it" in " ".join(verdict.amber)
    assert "PostgreSQL plans no query on it" in " ".join(done.notes)
    with psycopg.connect(empty_database) as connection:
        assert copied(connection) == before


@pytest.fixture
def database():
    with databases_on(portal_database.server) as make:
        yield make


def test_a_byte_that_came_otherwise_is_found(database, store: Store, drill) -> None:
    code, use, broken = BROKEN["an index over an expression"]
    source = database(ROWS + code + use)
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute(broken.encode())
    manifest = exported(source, store, ALL)
    tables = [table for table in manifest.tables if table.name == "t"]
    (segment,) = tables[0].segments

    fewer = replace(segment, rows=segment.rows - 1)
    altered = replace(
        manifest, tables=(*(t for t in manifest.tables if t.name != "t"), replace(tables[0], segments=(fewer,)))
    )

    assert prove(altered, store, server=drill).status == "failed"


def test_an_audit_trail_that_no_query_reads_is_not_copied(sampelit_copy, store: Store) -> None:
    with psycopg.connect(sampelit_copy["admin"], autocommit=True) as connection:
        connection.execute(CODE.encode())
        connection.execute("CREATE INDEX ON algorithm_audit_trail ((sequence_number + f(1)))")
        connection.execute(FAILS.encode())

    with pytest.raises(ProviderError, match="division"):
        exported(sampelit_copy["export"], store, ALL)
