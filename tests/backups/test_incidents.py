"""Incidents and holds as rows: opened once, told once, closed by a person with a reason; the operations around them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backups.incidents import holds
from backups.incidents import service as incidents_service
from backups.models import Hold, Incident, Policy, Run, Slot
from backups.policies.defaults import ensure_policies
from backups.web.calendar import calendars
from ledger.models import Entry
from ledger.registry import sentence_for
from operations.engine.run import run_operation
from operations.models import Environment, Notification, Operation
from providers.errors import Refused
from tests.people import vouch_for
from tests.stepping import approve, request

pytestmark = pytest.mark.django_db
ROW = {"id": "1", "chain": "c", "sequence": 4, "before": {"visitor_id": "ana"}, "after": {"visitor_id": "eva"}}


@pytest.fixture
def bare_production() -> Environment:
    environment = Environment.objects.create(slug="production", name="P", kind="production", protected=True)
    ensure_policies(environment)
    return environment


@pytest.fixture
def proven_row(bare_production: Environment) -> Run:
    by = User.objects.create_superuser("sam")
    made = request("backups.export", by=by, environment=bare_production, parameters={"policy": "audit-trail"})
    policy = Policy.objects.get(environment=bare_production, name="audit-trail")
    return Run.objects.create(
        operation=made,
        policy=policy,
        status="proven",
        manifest_sha256="a" * 64,
        proven_at=timezone.now(),
        stored_at=timezone.now(),
    )


def found(environment: Environment, run: Run | None = None, **values: object) -> Incident:
    given = {"subject": "audit", "summary": "1 row edited", "evidence": [ROW], **values}
    return incidents_service.raise_incident("row_edited", environment, run=run, **given)  # type: ignore[arg-type]


def olga(*codenames: str) -> User:
    user = User.objects.create_user("olga", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return User.objects.get(pk=user.pk)


def ada() -> User:
    user = User.objects.create_user("ada", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="approve_operation"))
    return vouch_for(user)


def ended(operation: Operation) -> Operation:
    run_operation(operation.pk, "test", frozenset({"urgent", "export"}), end_process=lambda: None)
    operation.refresh_from_db()
    return operation


def test_the_same_finding_is_one_incident_and_one_message(bare_production, proven_row) -> None:
    first, second = found(bare_production, proven_row), found(bare_production, proven_row)

    assert first == second
    assert Entry.objects.filter(code="backups.incident.opened").count() == 1
    assert Notification.objects.filter(subject__startswith="ALTERED").count() == 1
    assert list(first.seen_in.all()) == [proven_row]


def test_a_finding_waits_for_nobody_who_asks_for_an_operation(bare_production) -> None:
    """Asking shares the environment's key, then waits for the ledger: two that wait for each other would end."""
    with CaptureQueriesContext(connection) as seen:
        found(bare_production)

    locks = [
        query["sql"] for query in seen if 'FROM "operations_environment"' in query["sql"] and "FOR" in query["sql"]
    ]
    assert locks
    assert all("FOR NO KEY UPDATE" in text for text in locks)


def test_an_incident_that_grows_is_told_again(bare_production) -> None:
    found(bare_production)
    grown = found(bare_production, evidence=[ROW, {**ROW, "id": "2"}], summary="2 rows edited")

    assert (Incident.objects.count(), grown.total, grown.summary) == (1, 2, "2 rows edited")
    assert Notification.objects.filter(subject__startswith="ALTERED").count() == 2


def test_an_incident_grows_alone(bare_production) -> None:
    found(bare_production)
    other = found(bare_production, subject="another")
    before = Incident.objects.filter(pk=other.pk).values().get()

    found(bare_production, evidence=[ROW, {**ROW, "id": "2"}], summary="2 rows edited")

    assert Incident.objects.filter(pk=other.pk).values().get() == before


def test_what_was_resolved_is_accepted_and_anything_else_is_new(bare_production) -> None:
    resolved = incidents_service.resolve(found(bare_production), "olga", "a repair, ticket 7")

    again = found(bare_production)
    other = found(bare_production, evidence=[{**ROW, "after": {"visitor_id": "eve"}}])

    assert (again, again.status) == (resolved, "resolved")
    assert (other.status, Incident.objects.count()) == ("open", 2)


def test_at_most_two_hundred_rows_are_kept(bare_production) -> None:
    incident = found(bare_production, evidence=[{**ROW, "id": str(n)} for n in range(300)], total=300)

    assert (len(incident.evidence["rows"]), incident.total) == (200, 300)


@pytest.mark.parametrize("reason", ["", "   "])
def test_nobody_resolves_without_a_reason(bare_production, reason: str) -> None:
    incident = found(bare_production)

    with pytest.raises(Refused, match="Say what happened"):
        incidents_service.resolve(incident, "olga", reason)


def test_an_incident_is_resolved_once_and_only_as_it_was_seen(bare_production) -> None:
    incident = found(bare_production)
    with pytest.raises(Refused, match="More was found"):
        incidents_service.resolve(incident, "olga", "fine", fingerprint="another")
    incidents_service.resolve(incident, "olga", "fine")

    with pytest.raises(Refused, match="resolved by olga already"):
        incidents_service.resolve(incident, "otto", "me too")


def test_open_incidents_are_told_daily_until_resolved(bare_production) -> None:
    incident = found(bare_production)
    Incident.objects.update(told_at=timezone.now() - timedelta(hours=25))

    assert [incidents_service.remind(), incidents_service.remind()] == [1, 0]
    incidents_service.resolve(incident, "olga", "fine")
    Incident.objects.update(told_at=timezone.now() - timedelta(hours=25))
    assert incidents_service.remind() == 0


def test_two_tickers_remind_of_each_incident_once(bare_production, monkeypatch) -> None:
    incidents = [found(bare_production).pk, found(bare_production, subject="another").pk]
    Incident.objects.update(told_at=timezone.now() - timedelta(hours=25))
    reminded: list[int] = []

    def message_while_another_ticks(incident: Incident, key: str, words: str) -> None:
        reminded.append(incident.pk)
        incidents_service.remind()

    monkeypatch.setattr(incidents_service, "_message", message_while_another_ticks)
    incidents_service.remind()

    assert sorted(reminded) == sorted(incidents)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("incident_one_open", {}),
        ("incident_status_known|incident_resolution", {"status": "gone"}),
        ("incident_resolution_is_whole", {"status": "resolved", "subject": "other"}),
    ],
)
def test_sql_cannot_cheat_an_incident(bare_production, name: str, values: dict[str, str]) -> None:
    row = found(bare_production)
    copy = {"code": row.code, "environment": bare_production, "subject": row.subject, "summary": "x", **values}

    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Incident.objects.create(**copy)


def test_a_hold_is_placed_once_and_released_once_with_reasons(bare_production, proven_row) -> None:
    hold = holds.place(proven_row, "olga", "court order 12")

    assert holds.place(proven_row, "otto", "again") == hold
    assert list(Run.objects.held()) == [proven_row]
    with pytest.raises(Refused, match="need not be kept"):
        holds.release(hold, "adam", " ")
    holds.release(hold, "adam", "the case is closed")
    assert not Run.objects.held().exists()
    with pytest.raises(Refused, match="released by adam already"):
        holds.release(hold, "adam", "twice")


def test_a_hold_outlives_neither_its_open_incident_nor_sql(bare_production, proven_row) -> None:
    hold = holds.place(proven_row, "system", "the last good run", incident=found(bare_production, proven_row))

    with pytest.raises(Refused, match="is open"):
        holds.release(hold, "adam", "tidy up")
    with pytest.raises(IntegrityError, match="hold_release_is_whole"), transaction.atomic():
        Hold.objects.update(released_by="adam")
    with pytest.raises(IntegrityError, match="hold_once_per_incident"), transaction.atomic():
        Hold.objects.create(run=proven_row, incident=hold.incident, reason="x", placed_by="y")


def test_an_operator_resolves_by_an_operation_that_somebody_else_agrees_to(bare_production) -> None:
    incident = found(bare_production)
    asked = {"environment": bare_production, "parameters": {"incident": str(incident.pk)}}
    with pytest.raises(PermissionDenied):
        request("backups.resolve_incident", by=olga("view_incident", "verify_run"), reason="no", **asked)
    User.objects.filter(username="olga").delete()
    by = olga("resolve_incident")

    with pytest.raises(Refused, match="needs a reason"):
        request("backups.resolve_incident", by=by, reason=" ", **asked)
    waiting = request("backups.resolve_incident", by=by, reason="a repair, ticket 7", **asked)
    assert (ended(waiting).status, Incident.objects.get().status) == ("awaiting_approval", "open")
    with pytest.raises(PermissionDenied, match="You requested it"):
        approve(waiting, by=by)
    done = ended(approve(waiting, by=ada()))

    incident.refresh_from_db()
    assert (done.status, incident.status, incident.resolved_by) == ("succeeded", "resolved", "olga")
    assert sentence_for(Entry.objects.get(code="backups.incident.resolved")).startswith("olga (agreed: ada) resolved")
    with pytest.raises(Refused, match="no open incident"):
        request("backups.resolve_incident", by=by, reason="again", **asked)


def test_a_finding_that_grew_ends_a_waiting_request_without_effect(bare_production) -> None:
    incident = found(bare_production)
    by = olga("resolve_incident")
    asked = request(
        "backups.resolve_incident",
        by=by,
        environment=bare_production,
        reason="fine",
        parameters={"incident": str(incident.pk)},
    )
    approve(asked, by=ada())
    found(bare_production, evidence=[ROW, {**ROW, "id": "2"}])

    done = ended(asked)

    assert Incident.objects.get(pk=incident.pk).status == "open"
    assert done.status in ("failed", "expired")


def test_holds_are_placed_and_released_by_operations(bare_production, proven_row) -> None:
    by = olga("place_hold", "release_hold")
    placed = ended(
        request(
            "backups.place_hold", by=by, environment=bare_production, reason="court", parameters={"run": proven_row.pk}
        )
    )
    hold = Hold.objects.get(pk=placed.result["hold"])
    asked = request(
        "backups.release_hold", by=by, environment=bare_production, reason="closed", parameters={"hold": str(hold.pk)}
    )

    assert (hold.run, hold.reason, hold.placed_by) == (proven_row, "court", "olga")
    assert asked.status == "awaiting_approval"
    with pytest.raises(Refused, match="no stored run"):
        request("backups.place_hold", by=by, environment=bare_production, parameters={"run": "nothing"}, reason="x")
    with pytest.raises(Refused, match="no standing hold"):
        request("backups.release_hold", by=by, environment=bare_production, parameters={"hold": "x"}, reason="x")


def test_the_doctor_counts_what_nobody_resolved(bare_production) -> None:
    from backups.doctor.backups import altered_data

    quiet = next(altered_data(bare_production))
    found(bare_production)

    assert (quiet.tone, next(altered_data(None)).tone, next(altered_data(None)).found) == ("ok", "bad", "1 open")


def test_a_slot_whose_run_is_suspect_is_suspect_in_the_calendar(bare_production, proven_row) -> None:
    Run.objects.update(status="suspect")
    policy = Policy.objects.select_related("environment").get(pk=proven_row.policy_id)
    for hours, status, operation in ((0, "failed", proven_row.operation), (72, "missed", None), (96, "proven", None)):
        at = timezone.now() - timedelta(hours=hours)
        Slot.objects.create(policy=policy, at=at, status=status, operation=operation)

    drawn = str(calendars([policy])[0][1])

    assert "1 suspect" in drawn
    assert "1 missed" in drawn
    assert "1 failed" not in drawn


def test_the_shell_lists_and_shows(bare_production, capsys) -> None:
    incident = found(bare_production)

    with pytest.raises(SystemExit) as listed:
        call_command("incidents", "--environment", "production", "--json")
    rows = json.loads(capsys.readouterr().out)
    call_command("incidents", str(incident.pk))
    shown = capsys.readouterr().out
    incidents_service.resolve(incident, "olga", "fine")
    call_command("incidents", "--environment", "production")

    assert (listed.value.code, rows[0]["incident"], rows[0]["status"]) == (1, incident.pk, "open")
    assert "visitor_id: ana → eva" in shown
    assert "No open incidents" in capsys.readouterr().out


def test_the_page_shows_the_rows_before_and_after_and_who_may_resolve(bare_production, proven_row, client) -> None:
    incident = found(
        bare_production,
        proven_row,
        evidence={"rows": [ROW], "verify_audit_chain": {"rows": 9, "chains": 1, "invalid": 0}},
    )
    auditor = olga("view_incident", "view_run", "view_hold")
    client.force_login(auditor)

    page = client.get(f"/admin/backups/incident/{incident.pk}/change/", follow=True).content.decode()
    home = client.get("/admin/").content.decode()

    told = ("ana", "eva", "visitor_id", "№ 4 of c", "Your role may not request this.", "valid")
    assert all(word in " ".join(page.split()) for word in told)
    assert "request/backups.resolve_incident/" not in page
    assert "1 open incident" in home
    assert client.get("/admin/backups/incident/999999/change/").status_code == 404
