"""A change behind the portal's back becomes one incident; undone it closes, accepted it is the expected schema."""

from __future__ import annotations

import io
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from backups.models import Policy, Restore, Run
from ledger.models import Entry
from migrations_registry.drift import detect as drift_detect
from migrations_registry.models import DriftIncident, HistoryReading, SchemaFingerprint
from operations.models import Environment, Notification, Operation
from providers.errors import Refused
from tests.factories import person
from tests.sampelit_ops.signin.codes import code_of
from tests.stepping import SteppingClient, accept_drift, authenticator

pytestmark = pytest.mark.django_db


@pytest.fixture
def watched_production(sampelit_copy: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_MIGRATION_DSN", sampelit_copy["migration"])
    monkeypatch.setenv("SAMPELIT_ADMIN", sampelit_copy["admin"])
    return Environment.objects.create(slug="production", name="Production", kind="production", protected=True)


@pytest.fixture
def admin(sampelit_copy: dict[str, str]) -> psycopg.Connection:
    return psycopg.connect(sampelit_copy["admin"], autocommit=True)


def running(environment: Environment, kind: str, **more: Any) -> Operation:
    now = timezone.now()
    operation = Operation.objects.create(
        kind=kind,
        environment=environment,
        requested_by=person("ana"),
        exclusive_key="schema:production",
        status="queued",
        content_sha256="0" * 64,
        risk="routine",
        approvals_required=0,
        requested_at=now,
        expires_at=now,
        pool="export",
        **more,
    )
    Operation.objects.update(status="running", lease_owner="w1", lease_until=now)
    return operation


def ended(operation: Operation, **more: Any) -> None:
    done = {"status": "succeeded", "outcome": "succeeded", "ended_at": timezone.now(), **more}
    Operation.objects.filter(pk=operation.pk).update(lease_owner="", lease_until=None, **done)


def test_a_change_is_one_incident_that_grows_and_closes_when_undone(
    watched_production: Environment, admin: psycopg.Connection
) -> None:
    assert drift_detect.look(watched_production) is None
    admin.execute("ALTER TABLE users DISABLE ROW LEVEL SECURITY")
    first = drift_detect.look(watched_production)
    assert first is not None
    assert [change["name"] for change in first.changes] == ["public.users"]
    admin.execute("CREATE TABLE shadow (id integer)")
    second = drift_detect.look(watched_production)
    assert second is not None
    assert (second.pk, len(second.changes)) == (first.pk, 2)
    admin.execute("DROP TABLE shadow")
    admin.execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY")
    assert drift_detect.look(watched_production) is None
    assert DriftIncident.objects.get().status == "gone"
    told = Entry.objects.filter(code__startswith="migrations_registry.drift.").order_by("sequence")
    codes = list(told.values_list("code", flat=True))
    assert codes == [f"migrations_registry.drift.{what}" for what in ("first_seen", "found", "found", "resolved")]


def test_the_same_schema_again_makes_no_row(watched_production: Environment) -> None:
    drift_detect.look(watched_production)
    drift_detect.look(watched_production)
    row = SchemaFingerprint.objects.get()
    assert row.seen_at > row.taken_at


def test_accepted_with_a_reason_it_is_the_expected_schema(
    watched_production: Environment, admin: psycopg.Connection
) -> None:
    drift_detect.look(watched_production)
    admin.execute("CREATE INDEX shadow ON users (company)")
    incident = drift_detect.look(watched_production)
    assert incident is not None
    with pytest.raises(Refused, match="Say why"):
        accept_drift(incident, by="ana", reason=" ")
    accept_drift(incident, by="ana", reason="made by hand during the incident")
    assert drift_detect.look(watched_production) is None
    with pytest.raises(Refused, match="already"):
        accept_drift(incident, by="ana", reason="again")
    assert DriftIncident.objects.get().resolved_by == "ana"


def test_an_operation_that_changes_the_schema_is_not_looked_into(
    watched_production: Environment, admin: psycopg.Connection
) -> None:
    drift_detect.look(watched_production)
    running(watched_production, "migrations.apply")
    admin.execute("CREATE TABLE shadow (id integer)")
    assert drift_detect.look(watched_production) is None
    assert not DriftIncident.objects.exists()


def test_a_restore_that_takes_a_migration_back_is_no_drift(
    watched_production: Environment, admin: psycopg.Connection
) -> None:
    drift_detect.look(watched_production)
    target = timezone.now()
    admin.execute("CREATE TABLE late (id integer)")
    drift_detect.keep(watched_production, drift_detect.read(watched_production), because="late.sql applied")
    operation = running(watched_production, "backups.provider_pitr")
    admin.execute("DROP TABLE late")
    now = timezone.now()
    result = {"restored_to": target.isoformat(), "restored_at": now.isoformat()}
    ended(operation, result=result)
    assert drift_detect.look(watched_production) is None
    expected = drift_detect.trusted(watched_production)
    assert expected is not None
    assert expected.trusted_because.endswith(f"by {operation.pk}")
    admin.execute("CREATE TABLE late (id integer)")
    assert drift_detect.look(watched_production) is not None


def test_a_check_that_a_live_restore_left_not_valid_is_no_drift(
    watched_production: Environment, admin: psycopg.Connection
) -> None:
    named = '"named, ""so"""'
    for name in (named, "told"):
        admin.execute(f"ALTER TABLE users ADD CONSTRAINT {name} CHECK (created_at <= now())")
    drift_detect.keep(watched_production, drift_detect.read(watched_production), because="checks.sql applied")
    operation = running(watched_production, "backups.restore", parameters={"target": "live"})
    ended(operation)
    policy = Policy.objects.create(environment=watched_production, name="all", tables=["*"])
    run = Run.objects.create(policy=policy, operation=operation, status="failed", ended_at=timezone.now())
    notes = ["The check told of public.users could not be rebuilt: check violation (23514). It is there as NOT VALID."]
    report = {"notes": notes, "not_valid": [["public", "users", 'named, "so"'], ["public", "users", "gone"]]}
    Restore.objects.create(operation=operation, run=run, target="live", status="succeeded", report=report)
    not_valid = "ALTER TABLE users DROP CONSTRAINT {0}; ALTER TABLE users ADD CONSTRAINT {0} CHECK ({1}) NOT VALID"
    admin.execute(not_valid.format(named, "created_at <= now()"))

    assert drift_detect.look(watched_production) is None

    admin.execute(not_valid.format("told", "created_at <= now()"))  # only words tell of this one
    found = drift_detect.look(watched_production)

    assert found is not None
    assert [change["name"] for change in found.changes] == ["public.users.told"]
    assert f"NOT VALID since {operation.pk}" in str(drift_detect.trusted(watched_production).trusted_because)


def test_a_live_restore_that_left_no_row_stops_no_look(
    watched_production: Environment, admin: psycopg.Connection
) -> None:
    drift_detect.look(watched_production)
    ended(running(watched_production, "backups.restore", parameters={"target": "live"}))
    admin.execute("CREATE TABLE shadow (id integer)")

    assert drift_detect.look(watched_production) is not None


def test_there_is_never_a_second_open_incident(watched_production: Environment, admin: psycopg.Connection) -> None:
    drift_detect.look(watched_production)
    admin.execute("CREATE TABLE shadow (id integer)")
    incident = drift_detect.look(watched_production)
    assert incident is not None
    incident.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        incident.save()


def test_the_page_shows_both_sides_and_takes_the_reason(
    watched_production: Environment, admin: psycopg.Connection
) -> None:
    drift_detect.look(watched_production)
    admin.execute("ALTER POLICY own_account ON users USING (true)")
    incident = drift_detect.look(watched_production)
    assert incident is not None
    client = SteppingClient()
    client.force_login(person("ana"))
    url = f"/admin/migrations_registry/driftincident/{incident.pk}/change/"
    shown = client.get(url, follow=True).content.decode()
    assert ("auth.uid() = id" in shown, "USING (true)" in shown) == (True, True)
    client.post(url, {"reason": "agreed with support", "found": "0"}, follow=True)
    assert DriftIncident.objects.get().status == "open"
    client.post(url, {"reason": "agreed with support", "found": incident.found_id}, follow=True)
    assert DriftIncident.objects.get().status == "accepted"
    assert "Schema drift" not in client.get("/admin/").content.decode()


def test_people_are_told_once_and_the_history_says_who(
    watched_production: Environment, admin: psycopg.Connection, settings: Any
) -> None:
    settings.NOTIFY_EMAILS = ["team@sampelit.example"]
    drift_detect.look(watched_production)
    stray = {"version": "20260101000000", "name": "by_hand", "by": "eva"}
    HistoryReading.objects.create(environment=watched_production, unknown=[stray])
    admin.execute("CREATE TABLE shadow (id integer)")
    incident = drift_detect.look(watched_production)
    assert incident is not None
    rows = [row for row in incident.around if row["code"] == "history row"]
    assert [(row["actor"], row["subject"]) for row in rows] == [("eva", "by_hand")]
    admin.execute("CREATE TABLE second (id integer)")
    drift_detect.look(watched_production)
    (message,) = Notification.objects.filter(dedupe_key__startswith=f"drift:{incident.pk}")
    assert "public.shadow" in message.body


def test_the_shell_looks_and_accepts(watched_production: Environment, admin: psycopg.Connection, settings: Any) -> None:
    settings.DEMO = True
    person("ana"), person("vera", is_superuser=False)

    def run(**options: Any) -> tuple[int, str]:
        out = io.StringIO()
        try:
            call_command("drift", environment="production", stdout=out, **options)
        except SystemExit as exit_:
            return int(str(exit_.code)), out.getvalue()
        except CommandError as refused:
            return refused.returncode, str(refused)
        return 0, out.getvalue()

    assert run()[0] == 0
    assert "no drift to accept" in run(accept=True, reason="x", actor="ana")[1]
    admin.execute("CREATE TABLE shadow (id integer)")
    assert run() == (1, "table  public.shadow  added\n1 difference on production.\n")
    assert "may not accept" in run(accept=True, reason="agreed", actor="vera")[1]
    assert "Say why" in run(accept=True, actor="ana")[1]
    assert "second factor" in run(accept=True, reason="agreed", actor="ana")[1]
    code = code_of(authenticator(User.objects.get(username="ana")))
    assert run(accept=True, reason="agreed", actor="ana", code=code)[0] == 0
    assert run()[0] == 0
    assert DriftIncident.objects.get().resolved_by == "ana"
