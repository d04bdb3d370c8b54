"""Each prefix of a history, whole or half applied: the proposed states are right, and nothing is executed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from migrations_registry.fingerprint.model import Fingerprint, of_rows
from migrations_registry.observing import APPLIED, NOT, PARTLY, UNSEEN, expected, missing, observe
from providers import postgres
from providers.postgres.schema.objects import read_objects
from tests import portal_database

SANDBOX = Path(__file__).parents[2] / "sandbox" / "sql"
HISTORY = [
    "CREATE TABLE users (id integer PRIMARY KEY, name text, old text); CREATE TABLE spare (id integer)",
    "CREATE INDEX users_name ON users (name); ALTER TABLE users ADD COLUMN role varchar(20) DEFAULT 'x'",
    "CREATE TYPE mood AS ENUM ('calm'); CREATE DOMAIN kind AS text; CREATE FUNCTION one() RETURNS integer LANGUAGE sql"
    " AS 'SELECT 1'",
    "DROP TABLE spare; ALTER TABLE users DROP COLUMN old",
    "ALTER TABLE users ALTER COLUMN role TYPE varchar(40); CREATE OR REPLACE FUNCTION one() RETURNS integer"
    " LANGUAGE sql AS 'SELECT 2'",
    "ALTER TABLE users ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON users USING (true)",
    "ALTER TYPE mood ADD VALUE 'tense'; ALTER TABLE users ALTER COLUMN name SET NOT NULL",
    'CREATE VIEW "Odd Names" AS SELECT 1 AS a; CREATE TRIGGER t BEFORE UPDATE ON users FOR EACH ROW EXECUTE'
    " FUNCTION suppress_redundant_updates_trigger()",
]


@pytest.fixture
def empty() -> Iterator[str]:
    name = f"empty_{uuid4().hex[:12]}"
    portal_database.server.create_database(name)
    yield portal_database.server.dsn(name)
    portal_database.server.drop_database(name)


def look(dsn: str) -> Fingerprint:
    with postgres.connect(dsn) as connection:
        return of_rows((row.kind, row.name, row.of, row.sql) for row in read_objects(connection))


def states(dsn: str, files: list[str]) -> list[str]:
    return [state.state for state in observe([expected(text.encode()) for text in files], look(dsn))]


def test_every_prefix_is_seen(empty: str) -> None:
    for applied in range(len(HISTORY) + 1):
        assert states(empty, HISTORY) == [APPLIED] * applied + [NOT] * (len(HISTORY) - applied), applied
        if applied < len(HISTORY):
            with psycopg.connect(empty, autocommit=True) as connection:
                for statement in HISTORY[applied].split("; "):
                    connection.execute(statement)
            assert missing(expected(HISTORY[applied].encode()), look(empty)) == []


@pytest.mark.parametrize("number", range(len(HISTORY)))
def test_every_half_applied_file_is_partly_applied(empty: str, number: int) -> None:
    with psycopg.connect(empty, autocommit=True) as connection:
        for text in HISTORY[:number]:
            connection.execute(text)
        connection.execute(HISTORY[number].split("; ")[0])
    observed = observe([expected(text.encode()) for text in HISTORY], look(empty))
    partly = [at for at, state in enumerate(observed) if state.state == PARTLY]
    # Half of the first file looks like half of the fourth, which drops its other table: a person decides.
    assert partly == ([3] if number == 0 else [number])
    assert observed[partly[0]].missing


def test_sampelits_own_files_are_seen_on_a_live_copy(sampelit: dict[str, str]) -> None:
    files = [(SANDBOX / f"{name}.sql").read_text() for name in ("core", "audit", "product", "behaviour")]
    assert states(sampelit["export"], files) == [APPLIED] * 4


def test_what_leaves_no_trace_is_never_called_applied(empty: str) -> None:
    assert states(empty, ["INSERT INTO a VALUES (1)", "DO $$ BEGIN END $$", "GRANT SELECT ON a TO b"]) == [UNSEEN] * 3
    assert states(empty, ["DROP TABLE never_was"]) == [UNSEEN]


def test_an_invalid_index_is_not_there(sampelit_copy: dict[str, str]) -> None:
    with psycopg.connect(sampelit_copy["admin"], autocommit=True) as connection:
        connection.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_audit_visitor'::regclass")
    file = expected(b"CREATE INDEX CONCURRENTLY idx_audit_visitor ON algorithm_audit_trail (visitor_id)")
    assert missing(file, look(sampelit_copy["export"])) == [
        "index public.idx_audit_visitor valid on public.algorithm_audit_trail"
    ]


TEMPORARY = {
    "CREATE TEMP TABLE scratch AS SELECT 1 AS a": [],
    "SELECT 1 AS a INTO TEMP scratch; ALTER TABLE scratch ADD COLUMN b int": [],
    "CREATE TEMP TABLE scratch (a int); CREATE INDEX i ON scratch (a); ALTER TABLE scratch RENAME TO other; "
    "ALTER TABLE other ADD COLUMN b int": [],
    "CREATE TEMP VIEW v AS SELECT 1 AS a; CREATE TEMP SEQUENCE s; CREATE TABLE pg_temp.x (a int PRIMARY KEY)": [],
    "CREATE TEMP TABLE t (a int); DROP TABLE t; CREATE TABLE t (a int)": ["table public.t", "column public.t.a"],
    "CREATE TEMP TABLE t (a int); CREATE TABLE public.t (b int)": ["table public.t", "column public.t.b"],
    "SET search_path = app; CREATE TABLE t (a int)": ["table app.t", "column app.t.a"],
    "SELECT 1 AS a INTO t": ["table public.t"],
}


@pytest.mark.parametrize("text", TEMPORARY)
def test_nothing_temporary_is_looked_for_afterwards(text: str) -> None:
    assert [str(wanted) for wanted in expected(text.encode()).expectations] == TEMPORARY[text]


def test_what_is_missing_is_told_without_the_body_of_a_function() -> None:
    text = b"CREATE FUNCTION pay() RETURNS text LANGUAGE sql AS $$ SELECT 'sk_live_4711' $$"

    (told,) = map(str, expected(text).expectations)

    assert told == "function public.pay as the file has it"
