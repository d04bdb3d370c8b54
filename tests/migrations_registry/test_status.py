"""The status page and its shell twin: every file on every environment, from readings that say when and why not."""

from __future__ import annotations

import io
import json
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from migrations_registry.history import readings, status_matrix
from migrations_registry.history.states import row_of
from migrations_registry.models import (
    Application,
    DriftIncident,
    HistoryReading,
    SchemaFingerprint,
    StreamBaseline,
)
from operations.models import Environment
from providers import postgres
from providers.postgres.migrate.history import HistoryRow, ensure_history, write_history
from tests.factories import person
from tests.migrations_registry.applying import add_supabase

pytestmark = pytest.mark.django_db
TABLES = "CREATE TABLE users (id uuid PRIMARY KEY)"


@pytest.fixture
def dsns(sampelit_copy: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_MIGRATION_DSN", sampelit_copy["migration"])
    return sampelit_copy


@pytest.fixture
def protected_production(dsns: dict[str, str]) -> Environment:
    return Environment.objects.create(slug="production", name="Production", kind="production", protected=True)


def record(dsns: dict[str, str], *rows: HistoryRow) -> None:
    with postgres.connect(dsns["migration"], read_only=False) as target:
        ensure_history(target)
        for row in rows:
            write_history(target, row)


def words(slug: str = "production") -> dict[str, str]:
    """Path's last digit → what the matrix says."""
    shown = status_matrix.columns()
    cells = {
        row.file.name[-5]: cell
        for each in status_matrix.streams(shown)
        for row in each.rows
        for cell in row.cells
        if cell.environment == slug
    }
    return {name: f"{cell.word}: {cell.note}".rstrip(": ") for name, cell in cells.items()}


def test_each_state_is_told_from_the_targets_own_history(
    protected_production: Environment, dsns: dict[str, str]
) -> None:
    StreamBaseline.objects.create(environment=protected_production, stream="supabase", made_by="ana")
    first, second = add_supabase(1, TABLES), add_supabase(2, "CREATE TABLE two (id integer)")
    record(dsns, row_of(first), row_of(second), HistoryRow("20250101000000", "elsewhere"))
    add_supabase(2, "CREATE TABLE two (id integer, note text)")
    later = [add_supabase(number, f"CREATE TABLE t{number} (id integer)") for number in (3, 4, 5)]
    record(dsns, row_of(later[1]))
    add_supabase(6, "CREATE TABLE leads (id uuid); CREATE TABLE never (id integer)")
    add_supabase(7, "CREATE TABLE subscriptions (id uuid)")

    row = readings.refresh(protected_production)
    assert (row.problem, row.obstacle, row.has_table, row.role) == ("", "", True, "sampelit_migration")
    assert words() == {
        "1": "applied",
        "2": "changed: revision 1 was applied there; nothing applies this one. Bring the rest as a new file",
        "3": "out of order: a later file of the stream is applied",
        "4": "applied",
        "5": "pending",
        "6": "partly applied: outside the portal; missing: table public.never, column public.never.id. Refuses: "
        "finish or undo it there, then baseline",
        "7": "unrecorded: its objects are there, its history row is not: mark it as applied",
    }
    assert [row.version for row in status_matrix.columns()[0].unknown] == ["20250101000000"]


def test_a_half_done_application_resumes_or_says_why_not(
    protected_production: Environment, dsns: dict[str, str]
) -> None:
    StreamBaseline.objects.create(environment=protected_production, stream="supabase", made_by="ana")
    file = add_supabase(1, "CREATE TABLE half (id integer); CREATE INDEX CONCURRENTLY ON half (id)")
    steps: list[dict[str, Any]] = [
        {"number": 1, "transactional": True, "statements": [0], "status": "done"},
        {"number": 2, "transactional": False, "statements": [1], "status": "started"},
    ]
    attempt = Application.objects.create(
        file=file, environment=protected_production, operation="1", status="partly", steps=steps
    )
    readings.refresh(protected_production)
    assert words() == {"1": "partly applied: 1 of 2 steps done; it resumes at the next one"}

    looks = [SchemaFingerprint.objects.create(environment=protected_production, sha256=digit * 64) for digit in "ab"]
    incident = DriftIncident.objects.create(environment=protected_production, expected=looks[0], found=looks[1])
    assert "resolve the drift first" in words()["1"]
    incident.delete()
    Application.objects.filter(pk=attempt.pk).update(steps=steps[:1])
    readings.refresh(protected_production)
    assert "the present rules cut it into other steps" in words()["1"]
    add_supabase(1, "CREATE TABLE half (id integer)")
    readings.refresh(protected_production)
    assert "only the same bytes may go on" in words()["1"]


def test_a_target_that_is_down_keeps_its_last_reading_and_says_so(
    protected_production: Environment, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    add_supabase(1, TABLES)
    readings.refresh(protected_production)
    monkeypatch.setenv("SAMPELIT_PRODUCTION_MIGRATION_DSN", "postgresql://ops:hunter2hunter2@127.0.0.1:1/none")
    readings.refresh_all()
    row = HistoryReading.objects.get()
    assert (row.read_at is not None, "did not accept the connection" in row.problem) == (True, True)
    assert (row.read_at or row.tried_at) < row.tried_at
    client.force_login(person("ana"))
    shown = client.get("/admin/migrations_registry/migrationfile/status/").content.decode()
    assert [word in shown.lower() for word in ("not reachable", "unrecorded", "hunter2")] == [True, True, False]


@pytest.mark.parametrize(
    ("spoil", "obstacle"),
    [
        ("REVOKE CREATE ON SCHEMA public FROM sampelit_owner, sampelit_migration, PUBLIC", "may not create anything"),
        ("ALTER ROLE sampelit_migration IN DATABASE {} SET default_transaction_read_only = on", "only reads"),
        (
            "CREATE SCHEMA supabase_migrations; CREATE TABLE supabase_migrations.schema_migrations (version text);"
            "GRANT USAGE ON SCHEMA supabase_migrations TO sampelit_migration;"
            "GRANT SELECT ON supabase_migrations.schema_migrations TO sampelit_migration",
            "may not write the migration",
        ),
    ],
)
def test_a_role_that_cannot_apply_is_told(
    protected_production: Environment, dsns: dict[str, str], spoil: str, obstacle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        if "ROLE" not in spoil and "CREATE SCHEMA" not in spoil:
            admin.execute("ALTER SCHEMA public OWNER TO postgres")
        admin.execute(spoil.format(admin.info.dbname))
    assert obstacle in readings.refresh(protected_production).obstacle
    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", dsns["export"])
    monkeypatch.delenv("SAMPELIT_PRODUCTION_MIGRATION_DSN")
    row = readings.refresh(protected_production)  # the export role knows nothing about the other one
    assert (row.role, obstacle in row.obstacle) == ("sampelit_migration", True)


def test_a_history_that_may_not_be_read_is_a_problem_not_an_empty_one(
    protected_production: Environment, dsns: dict[str, str]
) -> None:
    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        admin.execute("CREATE SCHEMA supabase_migrations")
        admin.execute("CREATE TABLE supabase_migrations.schema_migrations (version text)")
    row = readings.refresh(protected_production)
    assert (row.read_at, "permission denied" in row.problem) == (None, True)


def test_the_page_shows_every_environment_within_its_queries(
    protected_production: Environment, client: Client, django_assert_max_num_queries: Any
) -> None:
    StreamBaseline.objects.create(environment=protected_production, stream="supabase", made_by="ana")
    for slug, name, kind in (("staging", "Staging", "staging"), ("pr-1", "Unread preview", "preview")):
        Environment.objects.create(slug=slug, name=name, kind=kind)
    for number in range(1, 6):
        add_supabase(number, f"CREATE TABLE t{number} (id integer)")
    readings.refresh_all()
    client.force_login(person("ana"))
    client.get("/admin/password_change/")
    with CaptureQueriesContext(connection) as asked:
        shown = client.get("/admin/migrations_registry/migrationfile/status/").content.decode()
    assert len(asked) <= 12
    assert ("Never read" in shown, "Unread preview" in shown) == (True, False)
    assert "environment=production&amp;file=" in shown
    assert "environment=staging&amp;stream=supabase" in shown


def test_the_shell_reads_keeps_and_says_what_it_cannot(
    protected_production: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_supabase(1, TABLES)
    out = io.StringIO()
    call_command("migrations_status", json=True, stdout=out)
    assert [row["state"] for row in json.loads(out.getvalue())] == ["unrecorded"]
    monkeypatch.delenv("SAMPELIT_PRODUCTION_MIGRATION_DSN")
    with pytest.raises(CommandError, match="is set in this process") as error:
        call_command("migrations_status", environment="production")
    assert error.value.returncode == 2
    kept = io.StringIO()
    call_command("migrations_status", environment="production", kept=True, stdout=kept)
    assert "unrecorded" in kept.getvalue()
