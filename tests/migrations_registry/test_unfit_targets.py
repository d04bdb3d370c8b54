"""Each way in which a target takes no history: what happened, what was not changed, what to do. Nothing is written."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest
from pytest_django.fixtures import Settings

from migrations_registry.history import baseline
from migrations_registry.history import states as history_states
from migrations_registry.models import HistoryReading, MigrationFile
from migrations_registry.services.registration import register_files
from migrations_registry.sources.discovery import discover
from operations.engine import kinds
from operations.engine.request import prepare, request
from operations.engine.run import run_operation
from operations.models import Environment, Operation
from providers import postgres
from providers.errors import ProviderError, Refused
from providers.postgres.migrate.history import Standpoint
from tests.factories import person

pytestmark = pytest.mark.django_db
VARIABLE = "SAMPELIT_PRODUCTION_MIGRATION_DSN"
HISTORY = "supabase_migrations.schema_migrations"


@pytest.fixture
def dsns(sampelit_copy: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv(VARIABLE, sampelit_copy["migration"])
    return sampelit_copy


@pytest.fixture
def registered_production(dsns: dict[str, str]) -> Environment:
    register_files(discover([("schema_a.sql", b"CREATE TABLE users (id uuid)")])[0], source="tests", by="ana")
    return Environment.objects.create(slug="production", name="Production", kind="production")


def refused(environment: Environment, why: str) -> None:
    for kind, parameters in (
        ("migrations.baseline", {"stream": "schema"}),
        ("migrations.mark", {"versions": "1", "state": "applied"}),
    ):
        with pytest.raises((Refused, ProviderError), match=why) as error:
            prepare(kinds.get(kind), environment, parameters)
        assert "othing was" in str(error.value)


def test_no_variable_wrong_host_and_wrong_role(
    registered_production: Environment, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, dsns["export_limited"])
    refused(registered_production, "sampelit_export_limited only reads|may not create anything in schema public")
    monkeypatch.setenv(VARIABLE, "postgresql://ops:hunter2hunter2@127.0.0.1:1/none")
    refused(registered_production, "did not accept the connection")
    monkeypatch.delenv(VARIABLE)
    refused(registered_production, f"{VARIABLE} is not set")


def test_a_read_only_server_a_replica_and_a_pooler(
    registered_production: Environment, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {admin.info.dbname} SET default_transaction_read_only = on")
    refused(registered_production, "only reads. Nothing was changed")
    monkeypatch.setattr(baseline, "standpoint", lambda _: Standpoint("r", True, "the server is a replica"))
    refused(registered_production, "the server is a replica. Nothing was changed; correct")
    real = postgres.facts
    monkeypatch.setattr(postgres, "facts", lambda connection: replace(real(connection), session_mode=False))
    refused(registered_production, "pooler in transaction mode.*port 5432")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("disk_full", "Free space where the database keeps its files"),
        ("query_canceled", "statement_timeout"),
        ("read_only_sql_transaction", "Use the primary server"),
    ],
)
def test_what_fails_while_writing_leaves_nothing(
    registered_production: Environment, dsns: dict[str, str], code: str, why: str
) -> None:
    """A trigger raises on the second row what a full disk or a time limit would."""
    files = register_files(discover([("schema_b.sql", b"CREATE TABLE b (id int)")])[0], source="tests", by="ana")
    files += MigrationFile.objects.filter(path="schema_a.sql")
    baseline.write(registered_production, dsns["migration"], [], 30)
    raise_it = (
        f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS (SELECT FROM {HISTORY}) THEN "
        f"RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END IF; RETURN NEW; END $$; "
        f"CREATE TRIGGER fail BEFORE INSERT ON {HISTORY} FOR EACH ROW EXECUTE FUNCTION fail()"
    )
    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        admin.execute(raise_it)
    with pytest.raises(ProviderError, match=f"of which nothing was kept, stopped: no.*{why}"):
        baseline.write(registered_production, dsns["migration"], files, 30)
    assert history_states.rows_of(registered_production) == []


def test_a_locked_history_is_not_waited_for(
    registered_production: Environment, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(baseline, "LOCK_TIMEOUT", "100ms")
    baseline.write(registered_production, dsns["migration"], [], 30)
    with psycopg.connect(dsns["admin"]) as other:
        other.execute(f"LOCK TABLE {HISTORY} IN SHARE MODE")
        with pytest.raises(ProviderError, match=r"nothing was kept.*Another session holds a lock"):
            baseline.write(registered_production, dsns["migration"], list(MigrationFile.objects.all()), 30)
    baseline.write(registered_production, dsns["migration"], list(MigrationFile.objects.all()), 30)
    assert len(history_states.rows_of(registered_production)) == 1


def test_a_reading_that_is_asked_for_fails_and_keeps_the_last_one(
    registered_production: Environment, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.OPS_HEARTBEAT_SECONDS = 60  # the heartbeat's own connection does not see what this test has not committed

    def look() -> Operation:
        asked = request("migrations.look", by=ana, environment=registered_production, parameters={}, reason="test")
        run_operation(asked.pk, "test", frozenset({"export"}), end_process=lambda: None)
        asked.refresh_from_db()
        return asked

    ana = person("ana")
    assert (look().status, HistoryReading.objects.get().problem) == ("succeeded", "")
    monkeypatch.setenv(VARIABLE, "postgresql://ops@127.0.0.1:1/none")
    failed = look()
    assert (failed.status, "The last reading stays" in failed.error) == ("failed", True)
    row = HistoryReading.objects.get()
    assert (len(row.states), "did not accept" in row.problem) == (1, True)
