"""What guards the audit trail: each change that opens it is found at the next run, each harmless one is not."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from backups.archive.manifest import Manifest, Table
from backups.proof.comparison import Comparison
from backups.proof.guards import guard_changes
from backups.proof.prove import Verdict, prove
from providers import postgres
from providers.postgres.connection import Connection
from providers.postgres.schema.generations import Row
from providers.postgres.schema.objects import objects_in_transaction
from providers.storage.base import Store
from providers.storage.factory import open_store
from sandbox import database
from sandbox.traffic import convert, decide
from tests import portal_database
from tests.backups.conftest import exported

T = "public.algorithm_audit_trail"
AUDIT = Table("public", "algorithm_audit_trail", "csv", True, (), (), ())
WATCHED = (
    "CREATE FUNCTION public.guard() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end';"
    f"CREATE TRIGGER guard BEFORE UPDATE ON {T} FOR EACH ROW EXECUTE FUNCTION public.guard();"
    f"ALTER TABLE {T} ADD CONSTRAINT positive CHECK (sequence_number > 0);"
    f"CREATE UNIQUE INDEX once ON {T} (experiment_id, decision_hash);"
    f"CREATE INDEX slow ON {T} (context_hash); CREATE POLICY mine ON {T} USING (true);"
    f"ALTER TABLE {T} ENABLE ROW LEVEL SECURITY"
)
OPENED = [
    (f"ALTER TABLE {T} DISABLE TRIGGER guard", "trigger guard on"),
    (f"ALTER TABLE {T} ENABLE REPLICA TRIGGER guard", "trigger guard on"),
    (f"DROP TRIGGER guard ON {T}", "trigger guard on"),
    (
        "CREATE OR REPLACE FUNCTION public.guard() RETURNS trigger LANGUAGE plpgsql AS 'begin return old; end'",
        "guard()",
    ),
    ("ALTER FUNCTION public.guard() OWNER TO anon", "function public.guard() changed"),
    (f"CREATE TRIGGER more BEFORE INSERT ON {T} FOR EACH ROW EXECUTE FUNCTION public.guard()", "trigger more"),
    (f"ALTER TABLE {T} DISABLE TRIGGER ALL", "silent key"),
    (f"CREATE RULE hide AS ON INSERT TO {T} DO INSTEAD NOTHING", "rule hide"),
    (f"ALTER TABLE {T} DISABLE ROW LEVEL SECURITY", "row security"),
    (f"ALTER TABLE {T} FORCE ROW LEVEL SECURITY", "row security"),
    (f"ALTER POLICY mine ON {T} USING (false)", "policy mine"),
    (f"DROP POLICY mine ON {T}", "policy mine"),
    (f"CREATE POLICY other ON {T} USING (true)", "policy other"),
    (f"ALTER TABLE {T} DROP CONSTRAINT positive", "constraint public.algorithm_audit_trail.positive is gone"),
    (f"ALTER TABLE {T} DROP CONSTRAINT algorithm_audit_trail_pkey", "pkey is gone"),
    (f"ALTER TABLE {T} DROP CONSTRAINT algorithm_audit_trail_experiment_id_fkey", "fkey is gone"),
    ("DROP INDEX public.once", "index public.once is gone"),
    (f"GRANT UPDATE ON {T} TO anon", "right UPDATE to anon"),
    (f"GRANT DELETE, TRUNCATE ON {T} TO PUBLIC", "right DELETE to PUBLIC"),
    (f"GRANT ALL ON {T} TO authenticated WITH GRANT OPTION", "right TRIGGER to authenticated"),
    (f"ALTER TABLE {T} OWNER TO anon", "table public.algorithm_audit_trail changed"),
    (f"CREATE TABLE public.heir () INHERITS ({T})", "table public.heir is new"),
    (f"ALTER TABLE {T} SET UNLOGGED", "table public.algorithm_audit_trail changed"),
    (
        f"CREATE SCHEMA before; CREATE TABLE before.algorithm_audit_trail (LIKE {T})",
        "table before.algorithm_audit_trail",
    ),
    (f"CREATE SCHEMA before; CREATE VIEW before.algorithm_audit_trail AS SELECT * FROM {T}", "view before."),
    ("ALTER FUNCTION public.verify_audit_chain(uuid) SECURITY DEFINER", "function public.verify_audit_chain"),
    ("DROP FUNCTION public.verify_audit_chain(uuid)", "is gone"),
    ("CREATE FUNCTION public.verify_audit_chain(text) RETURNS bool LANGUAGE sql AS 'SELECT true'", "is new"),
    ("ALTER ROLE anon SET search_path = before, public", "settings of role anon everywhere is new"),
    ("ALTER ROLE anon SET session_replication_role = replica", "settings of role anon everywhere is new"),
]
HARMLESS = [
    f"ALTER TABLE {T} ADD COLUMN note text DEFAULT 'x' NOT NULL",
    f"ALTER TABLE {T} ADD CONSTRAINT more CHECK (sequence_number < 9000000000) NOT VALID",
    f"ALTER TABLE {T} ALTER conversion_value TYPE numeric(14, 4)",
    f"CREATE INDEX more ON {T} (user_agent_hash)",
    "DROP INDEX public.slow",
    f"COMMENT ON TABLE {T} IS 'x'",
    f"ALTER TABLE {T} SET (fillfactor = 80, autovacuum_enabled = false)",
    f"ALTER TABLE {T} ALTER context_hash SET STATISTICS 200",
    f"GRANT SELECT ON {T} TO anon",
    f"REVOKE UPDATE ON {T} FROM sampelit_app",
    "CREATE TABLE public.something (x int)",
    "ALTER ROLE anon SET statement_timeout = '5s'",
    f"CREATE STATISTICS public.together ON segment_key, context_hash FROM {T}",
    f"REINDEX TABLE {T}",
    f"ALTER TABLE {T} CLUSTER ON once",
]


@pytest.fixture(scope="module")
def watched(sampelit_template: str) -> Iterator[Connection]:
    """A superuser's session on a Sampelit whose audit trail is guarded; whoever uses it rolls back."""
    name = f"guards_{uuid4().hex[:12]}"
    portal_database.server.create_database(name, template=sampelit_template)
    with postgres.connect(portal_database.server.dsn(name), read_only=False) as connection:
        connection.execute(WATCHED.encode())
        yield connection
    portal_database.server.drop_database(name)


def rows_of(connection: Connection) -> list[Row]:
    return [(item.kind, item.name, item.of, item.sql) for item in objects_in_transaction(connection)]


def changes_by(connection: Connection, text: str) -> list[str]:
    before = rows_of(connection)
    with connection.transaction(force_rollback=True):
        connection.execute(text.encode())
        return guard_changes(before, rows_of(connection), AUDIT)[0]


@pytest.mark.parametrize(("text", "told"), OPENED, ids=[text[:70] for text, _ in OPENED])
def test_what_opens_the_trail_is_found(watched: Connection, text: str, told: str) -> None:
    changes = changes_by(watched, text)

    assert told in "; ".join(changes)


@pytest.mark.parametrize("text", HARMLESS, ids=[text[:70] for text in HARMLESS])
def test_what_is_harmless_is_not_told(watched: Connection, text: str) -> None:
    assert changes_by(watched, text) == []


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Store, Manifest]]:
    """A small Sampelit and a run of it."""
    name = f"forged_{uuid4().hex[:12]}"
    database.create(portal_database.server, name, rows=120, experiments=3)
    store = open_store(f"file://{tmp_path_factory.mktemp('forged')}/store")
    yield name, store, exported(database.dsns(portal_database.server, name)["export"], store)
    portal_database.server.drop_database(name)


@pytest.fixture
def after(
    earlier: tuple[str, Store, Manifest], drill: Callable
) -> Iterator[Callable[[Callable[[psycopg.Connection], object]], Verdict]]:
    """What the proof of the next run says, once a copy was changed."""
    template, store, before = earlier
    name = f"forged_{uuid4().hex[:12]}"
    portal_database.server.create_database(name, template=template)
    dsns = database.dsns(portal_database.server, name)

    def after(change: Callable[[psycopg.Connection], object]) -> Verdict:
        with psycopg.connect(dsns["admin"], autocommit=True) as connection:
            change(connection)
        run = exported(dsns["export"], store)
        return prove(run, store, comparison=Comparison(manifest=before, store=store), server=drill)

    yield after
    portal_database.server.drop_database(name)


ALTERED = [
    ("ALTER conversion_value TYPE numeric(10, -4)", "conversion_changed"),
    ("ALTER conversion_value TYPE numeric(10, 2) USING (conversion_value * 2)", "conversion_changed"),
    ("ALTER conversion_timestamp TYPE timestamptz(0)", "conversion_changed"),
    ("ALTER context_hash TYPE varchar(8) USING left(context_hash, 8)", "row_edited"),
    ("DROP conversion_value", "table_gone"),
    ("DROP conversion_observed", "table_gone"),
    ("DROP context_hash", "table_gone"),
    ("RENAME conversion_value TO worth", "table_gone"),
    ("RENAME decision_hash TO hash", "table_gone"),
    ("DISABLE TRIGGER ALL", "guard_changed"),
    (
        "ADD new varchar(64) DEFAULT 'x'; ALTER new DROP DEFAULT; DROP context_hash; RENAME new TO context_hash",
        "row_edited",
    ),
    ("RENAME context_hash TO x; RENAME user_agent_hash TO context_hash; RENAME x TO user_agent_hash", "row_edited"),
    ("ALTER conversion_value TYPE int; ALTER conversion_value TYPE numeric(10, 2)", "conversion_changed"),
]
WIDER = [
    "ALTER conversion_value TYPE numeric(14, 4)",
    "ALTER conversion_value TYPE numeric(9, 2)",
    "ALTER conversion_value TYPE text",
    "ALTER visitor_id TYPE text",
    "ALTER context_hash TYPE char(64)",
    "ADD note text DEFAULT 'x' NOT NULL",
]


def altering(change: str) -> Callable[[psycopg.Connection], object]:
    return lambda connection: [connection.execute(f"ALTER TABLE {T} {one}".encode()) for one in change.split("; ")]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("change", "code"), ALTERED)
def test_a_definition_that_changed_values_or_took_them_is_an_incident(change: str, code: str, after) -> None:
    assert [finding.code for finding in after(altering(change)).findings] == [code]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("change", WIDER)
def test_a_definition_that_keeps_every_value_raises_nothing(change: str, after) -> None:
    verdict = after(altering(change))

    assert (verdict.status, verdict.findings, verdict.examined.not_compared) == ("proven", (), "")


EDITED = {
    "an invisible character": ("visitor_id = visitor_id || U&'\\200B'", "row_edited"),
    "a blank": ("segment_key = segment_key || ' '", "row_edited"),
    "capitals": ("algorithm_version = upper(algorithm_version)", "row_edited"),
    "an empty text for none": ("created_at = NULL, user_agent_hash = ''", "row_edited"),
    "no number": ("conversion_value = 'NaN'", "conversion_changed"),
    "no time": ("conversion_timestamp = 'infinity'", "conversion_changed"),
    "another id": ("id = gen_random_uuid()", "rows_removed"),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("what", EDITED)
def test_what_nobody_sees_in_a_row_is_found(what: str, after) -> None:
    change, code = EDITED[what]
    where = f"id = (SELECT id FROM {T} WHERE conversion_observed LIMIT 1)"

    verdict = after(lambda connection: connection.execute(f"UPDATE {T} SET {change} WHERE {where}".encode()))

    assert code in [finding.code for finding in verdict.findings]


def test_a_row_that_went_to_an_heir_is_removed_and_the_copy_is_true(after) -> None:
    def inherited(connection: psycopg.Connection) -> None:
        connection.execute(f"CREATE TABLE heir () INHERITS ({T})")
        one = f"SELECT id FROM ONLY {T} WHERE sequence_number = 3 LIMIT 1"
        moved = (
            f"WITH gone AS (DELETE FROM ONLY {T} WHERE id = ({one}) RETURNING *) INSERT INTO heir SELECT * FROM gone"
        )
        connection.execute(moved.encode())

    verdict = after(inherited)

    assert verdict.status == "suspect"
    assert {"chain_broken", "guard_changed", "rows_removed"} <= {finding.code for finding in verdict.findings}


REWRITTEN = {
    "compacted": "VACUUM FULL {0}",
    "written with the same values": "UPDATE {0} SET visitor_id = visitor_id, conversion_value = conversion_value",
    "stored otherwise": "ALTER TABLE {0} ALTER visitor_id SET STORAGE EXTERNAL, ALTER context_hash SET COMPRESSION lz4",
    "logged anew": "ALTER TABLE {0} SET UNLOGGED; ALTER TABLE {0} SET LOGGED",
    "another collation": 'ALTER TABLE {0} ALTER context_hash TYPE varchar(64) COLLATE "C"',
    "read by views": "CREATE MATERIALIZED VIEW seen AS SELECT * FROM {0}; CREATE VIEW one AS SELECT count(*) FROM {0}",
    "more people, more experiments": "INSERT INTO users (email, password_hash, full_name) VALUES ('a@b.c', 'x', 'N');"
    " INSERT INTO experiments (id, user_id, name) SELECT gen_random_uuid(), user_id, 'new' FROM experiments LIMIT 1",
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("what", REWRITTEN)
def test_a_table_written_anew_raises_nothing(what: str, after) -> None:
    verdict = after(
        lambda connection: [connection.execute(one.encode()) for one in REWRITTEN[what].format(T).split("; ")]
    )

    assert (verdict.status, verdict.findings, verdict.examined.not_compared) == ("proven", (), "")


def test_rows_that_say_they_are_older_than_the_run_before_are_an_incident(after) -> None:
    """The end of a chain, grown by a decision of last week whose hash and link are right."""
    last_week = datetime.now(UTC) - timedelta(days=7)

    (finding,) = after(lambda connection: decide(connection, random.Random(1), last_week)).findings

    assert (finding.code, finding.total) == ("row_backdated", 1)
    assert "which had none" in finding.summary


def test_a_day_of_the_product_raises_nothing(after) -> None:
    def day(connection: psycopg.Connection) -> None:
        rng = random.Random(2)
        for _ in range(20):
            decide(connection, rng)
            convert(connection, rng)

    assert after(day).findings == ()
