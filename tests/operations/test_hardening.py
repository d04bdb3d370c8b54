"""Failures that a reviewer found: each stays found."""

from __future__ import annotations

import threading

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from pyrage import x25519

from ledger.models import Entry
from operations.approvals.voting import revoke
from operations.engine import heartbeat, kinds, specs
from operations.engine.cancel import cancel
from operations.engine.claim import LeaseLost, claim
from operations.engine.context import Limits, StepContext
from operations.engine.request import request
from operations.engine.tick import overdue_always_steps, return_lapsed_break_glass
from operations.models import Heartbeat, Operation, Risk, Step, Task
from providers.errors import ProviderError
from tests.people import holder
from tests.running import run_once
from tests.stepping import approve, break_glass

pytestmark = pytest.mark.django_db(transaction=True)
ALL = frozenset(specs.POOLS)
PAST = "2020-01-01T00:00:00Z"


def due_again(operation: Operation) -> None:
    Operation.objects.filter(pk=operation.pk).update(due_at=None, lease_until=None)


def test_a_check_that_cannot_be_made_is_put_off_and_given_up_in_time(ask, monkeypatch, settings):
    operation = ask()

    def assess(*_):
        raise ProviderError("the provider does not answer", retryable=True)

    monkeypatch.setattr(kinds.get("rehearsal.routine").__class__, "assess", assess)
    assert run_once(operation).status == "running"
    assert operation.due_at is not None
    for _ in range(settings.OPS_MAX_ATTEMPTS):
        due_again(operation)
        run_once(operation)

    assert operation.status == "failed"
    assert "does not answer" in operation.error


def test_a_cancel_ends_what_cannot_be_checked(ask, monkeypatch, operator):
    operation = ask()
    monkeypatch.setattr(kinds.get("rehearsal.routine").__class__, "content", lambda *_: 1 / 0)
    run_once(operation)
    cancel(operation, by=operator)

    assert run_once(operation).status == "cancelled"


def test_a_lapsed_break_glass_waits_for_votes_again(ask, operator, approver, approver2):
    operation = break_glass(ask("rehearsal.destructive"), by=operator, reason="checkout is down")
    Operation.objects.filter(pk=operation.pk).update(break_glass_from=PAST, break_glass_until=PAST)
    return_lapsed_break_glass()

    operation.refresh_from_db()
    assert operation.status == "awaiting_approval"
    assert break_glass(operation, by=operator, reason="it is still down").status == "queued"


def test_a_revocation_does_not_undo_a_break_glass(ask, operator, approver, approver2):
    operation = ask("rehearsal.destructive")
    approve(operation, by=approver)
    break_glass(operation, by=operator, reason="checkout is down")

    assert revoke(operation, by=approver).status == "queued"
    assert run_once(operation).status == "succeeded"


def test_a_secret_that_a_provider_echoes_is_hidden_everywhere(operator, production, monkeypatch, settings):
    settings.OPS_SEAL_IDENTITY = str(x25519.Identity.generate())

    def echo(context: StepContext) -> None:
        raise ProviderError(f"400: value '{context.secret('value')}' is too long")

    class Echo(kinds.OperationKind):
        name, label, permission, risk = "test.echo", "Echo", "operations.run_rehearsal", Risk.ROUTINE
        parameters = [specs.Parameter("value", secret=True)]
        steps = [specs.step("echo", echo)]

    monkeypatch.setitem(kinds.registry.kinds, "test.echo", Echo())
    asked = {"by": operator, "environment": production, "parameters": {"value": "hunter2 planted"}}

    operation = run_once(request("test.echo", **asked))

    everything = f"{Operation.objects.values().get()}{list(Step.objects.values())}{list(Entry.objects.values())}"
    assert operation.status == "failed"
    assert "too long" in operation.error
    assert "hunter2" not in everything


def test_changed_steps_in_mid_life_still_run_the_always_steps_that_exist(ask, monkeypatch, tmp_path):
    operation = ask(fail="retryable", mark=str(tmp_path / "mark"))
    run_once(operation)
    kind = kinds.get("rehearsal.routine")
    monkeypatch.setattr(kind, "steps", [*kind.steps, specs.step("new", lambda _: None)])
    due_again(operation)

    run_once(operation)

    assert operation.status == "failed"
    assert (tmp_path / "mark").read_text().split()[-3] == "tidy"


def test_an_always_step_that_no_longer_exists_is_a_task(ask, monkeypatch):
    operation = ask(fail="retryable")
    run_once(operation)
    monkeypatch.setattr(kinds.get("rehearsal.routine"), "steps", [specs.step("new", lambda _: None)])
    due_again(operation)

    run_once(operation)

    assert operation.status == "failed"
    assert "do by hand" in Task.objects.get(kind="always_step_failing").body


def test_an_always_step_that_kills_its_process_alarms_and_waits(ask):
    operation = ask(fail="refuse")
    Operation.objects.filter(pk=operation.pk).update(status="running", outcome="failed")
    operation.steps.filter(name="prepare").update(status="succeeded")
    operation.steps.filter(name="tidy").update(status="running", attempt=3)

    run_once(operation)

    assert operation.status == "running"
    assert operation.due_at > timezone.now()
    assert Task.objects.get(kind="always_step_failing").operation == operation


def test_the_watchdog_survives_a_database_that_is_away(ask, monkeypatch):
    operation = ask()
    lease = claim(operation.pk, "w")
    context = StepContext(operation, operation.steps.first(), Limits(deadline=0.1, stall=120), lease)
    ended = threading.Event()

    def away(*_, **__):
        raise DatabaseError("away")

    monkeypatch.setattr(heartbeat, "write", away)
    with heartbeat.beating(context, ended.set):
        assert ended.wait(5)
    assert context.lost.is_set()


def test_save_state_is_refused_to_an_older_claim(ask):
    operation = ask()
    first = claim(operation.pk, "a")
    Operation.objects.filter(pk=operation.pk).update(lease_until=PAST)
    claim(operation.pk, "b")
    context = StepContext(operation, operation.steps.first(), Limits(deadline=3600, stall=120), first)
    context.state = {"old": True}

    with pytest.raises(LeaseLost):
        context.save_state()
    assert operation.steps.first().detail == {}


@pytest.mark.parametrize(
    "forged",
    [
        {"status": "succeeded"},
        {"seeded": True},
        {"exclusive_key": ""},
        {"status": "running", "break_glass_from": PAST, "break_glass_until": "2090-01-01T00:00:00Z", "glass": True},
    ],
)
def test_sql_cannot_forge_ends_starts_or_the_story(ask, operator, forged):
    operation = ask("rehearsal.destructive")
    if forged.pop("glass", False):
        forged = {**forged, "break_glass_by": operator}
    with pytest.raises(IntegrityError), transaction.atomic():
        Operation.objects.filter(pk=operation.pk).update(**forged)


@pytest.mark.parametrize("change", ["old", "frozen"])
def test_what_changed_while_it_waited_expires_it(ask, production, approver, approver2, change, monkeypatch):
    operation = ask("rehearsal.destructive")
    approve(operation, by=approver)
    approve(operation, by=approver2)
    if change == "old":
        Operation.objects.filter(pk=operation.pk).update(expires_at=PAST)
    if change == "frozen":
        monkeypatch.setattr(kinds.get("rehearsal.destructive"), "allowed_in_freeze", False)
        type(production).objects.filter(pk=production.pk).update(frozen_until="2090-01-01T00:00:00Z")

    assert run_once(operation).status == "expired"


def test_cancel_during_a_pause_works_at_once(ask, operator):
    operation = run_once(ask(fail="retryable"))
    cancel(operation, by=operator)
    assert run_once(operation).status == "cancelled"


def test_the_cron_runs_always_steps_when_no_worker_lives(ask):
    operation = ask(fail="refuse")
    Operation.objects.filter(pk=operation.pk).update(status="running", outcome="failed")
    operation.steps.filter(name="prepare").update(status="succeeded")
    assert overdue_always_steps() == [operation.pk]

    Heartbeat.objects.create(name="worker:somebody", beat_at=timezone.now())

    assert overdue_always_steps() == []


def test_staff_without_a_role_see_none_of_our_pages(ask, client):
    operation = ask("rehearsal.sensitive")
    task = Task.objects.create(kind="other", title="look", dedupe_key="t")
    client.force_login(holder("nobody"))
    for url in (
        reverse("admin:operations_live", args=[operation.pk]),
        reverse("admin:operations_act", args=[operation.pk, "approve"]),
        reverse("admin:operations_request", args=["rehearsal.routine"]),
        reverse("admin:operations_catalogue"),
        reverse("admin:approvals"),
        reverse("admin:operations_close_task", args=[task.pk]),
    ):
        assert client.get(url).status_code == 403, url


def test_refusals_on_pages_are_recorded(production, client):
    client.force_login(holder("olga", "view_operation", "run_rehearsal"))
    url = reverse("admin:operations_request", args=["rehearsal.destructive"]) + "?environment=production&key=a"
    client.post(url, {"environment": "production", "key": "a"})
    assert "Type production/a exactly" in Entry.objects.get(code="operations.refused").data
