"""A transaction whose answer is lost is done exactly once, whatever the catalogue looks like; and what ran is no alarm.

Each text makes something that is gone, renamed, moved or replaced when its step ends: looking at names says "missing".
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from migrations_registry.apply import failpoints
from operations.models import Environment
from tests.migrations_registry.applying import Act, add_supabase, history, rows

pytestmark = pytest.mark.django_db(transaction=True)
ALONE = "CREATE INDEX CONCURRENTLY counted_id ON counted (id);"
UNLIKE = {
    "a table renamed": "CREATE TABLE a (id int); CREATE INDEX a_i ON a (id); ALTER TABLE a RENAME TO b;",
    "an overload": "CREATE FUNCTION fee(int, int) RETURNS int LANGUAGE sql AS $$SELECT 1$$; DROP FUNCTION fee(int);",
    "an enum swapped": ("CREATE TYPE mood_new AS ENUM ('a', 'b'); DROP TYPE mood; ALTER TYPE mood_new RENAME TO mood;"),
    "a temporary table": "CREATE TEMP TABLE aside (id int); INSERT INTO aside VALUES (1);",
    "made again": "DROP FUNCTION fee(int); CREATE FUNCTION fee(bigint) RETURNS int LANGUAGE sql AS 'SELECT 2';",
    "a column made and renamed": "ALTER TABLE counted ADD COLUMN x int; ALTER TABLE counted RENAME COLUMN x TO y;",
    "a constraint made and renamed": (
        "ALTER TABLE counted ADD CONSTRAINT c CHECK (id > 0) NOT VALID;ALTER TABLE counted RENAME CONSTRAINT c TO d;"
    ),
    "a table moved": "CREATE SCHEMA room; CREATE TABLE m (id int); ALTER TABLE m SET SCHEMA room;",
    "a schema renamed": "CREATE SCHEMA room; CREATE TABLE room.m (id int); ALTER SCHEMA room RENAME TO hall;",
    "made and dropped": "CREATE TABLE gone (id int); DROP TABLE gone;",
}


@pytest.fixture
def counted(dsns: dict[str, str], backups: None) -> None:
    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        admin.execute(
            "CREATE TABLE counted (id integer); CREATE TYPE mood AS ENUM ('a');"
            "CREATE FUNCTION fee(int) RETURNS int LANGUAGE sql AS 'SELECT 1';"
            "ALTER TABLE counted OWNER TO sampelit_migration; ALTER TYPE mood OWNER TO sampelit_migration;"
            "ALTER FUNCTION fee(int) OWNER TO sampelit_migration"
        )


@pytest.fixture
def cut_after_commit(dsns: dict[str, str]) -> Iterator[list[str]]:
    """The first COMMIT is on disk when the connection goes; its answer is never written down."""
    met: list[str] = []

    def cut() -> None:
        met.append("cut")
        failpoints.armed.clear()
        ours = "application_name = 'sampelit-ops' AND datname = current_database() AND pid <> pg_backend_pid()"
        rows(dsns["admin"], f"SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE {ours}")

    failpoints.armed["transaction.committed"] = cut
    yield met
    failpoints.armed.clear()


@pytest.mark.parametrize("what", UNLIKE)
def test_what_was_committed_is_not_run_again_and_raises_no_alarm(
    what: str, counted: None, baselined: Environment, act: Act, dsns: dict[str, str], cut_after_commit: list[str]
) -> None:
    file = add_supabase(2, f"{UNLIKE[what]} INSERT INTO counted (id) VALUES (7); {ALONE}")

    operation = act("migrations.apply", file=file.sha256)

    assert cut_after_commit == ["cut"]
    assert operation.status == "succeeded", operation.error
    assert rows(dsns["admin"], "SELECT count(*) FROM counted") == [(1,)]
    assert history(dsns)[-1] == "20260102000000 change_2"
