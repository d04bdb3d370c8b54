"""The life of an operation in one process: request, claim, steps, ends. Workers are in test_worker.py."""

from __future__ import annotations

import time

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from ledger.models import Entry
from operations.engine import kinds, specs
from operations.engine.cancel import cancel
from operations.engine.claim import LeaseLost, claim, extend, write
from operations.engine.request import request
from operations.engine.tick import tick, wake_due
from operations.models import Operation, Step, Task
from providers.errors import Refused
from tests.running import run_once
from tests.stepping import retry

ALL = frozenset(specs.POOLS)


def codes(operation: Operation) -> list[str]:
    return list(Entry.objects.filter(subject=operation.pk).order_by("sequence").values_list("code", flat=True))


@pytest.mark.django_db(transaction=True)
def test_a_routine_operation_runs_every_step_and_ends(ask, tmp_path):
    mark = tmp_path / "mark"
    operation = ask(mark=str(mark))

    run_once(operation)

    assert (operation.status, operation.outcome) == ("succeeded", "succeeded")
    assert [line.split()[0] for line in mark.read_text().splitlines()] == ["prepare", "work", "tidy"]
    assert codes(operation) == ["operations.requested", "operations.succeeded"]
    assert operation.result == {"moves": 1}
    assert set(operation.steps.values_list("status", flat=True)) == {"succeeded"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["refuse", "crash"])
def test_a_failing_step_fails_the_operation_after_its_always_step(ask, tmp_path, how):
    mark = tmp_path / "mark"
    waiting = ask(key="another")
    operation = run_once(ask(fail=how, mark=str(mark)))

    assert operation.status == "failed"
    assert "told to" in operation.error
    assert [line.split()[0] for line in mark.read_text().splitlines()] == ["prepare", "tidy"]
    assert list(operation.steps.values_list("status", flat=True)) == ["succeeded", "failed", "succeeded"]
    assert set(waiting.steps.values_list("status", flat=True)) == {"pending"}


@pytest.mark.django_db(transaction=True)
def test_a_retryable_failure_waits_and_keeps_the_exclusive_key(ask):
    operation = run_once(ask(fail="retryable"))
    other = run_once(ask())

    assert operation.status == "running"
    assert operation.due_at is not None
    assert operation.lease_until is None
    assert other.status == "queued"

    for _ in range(2):
        Operation.objects.filter(pk=operation.pk).update(due_at=None)
        run_once(operation)
    assert operation.status == "succeeded"
    assert operation.steps.get(name="work").attempt == 3
    assert run_once(other).status == "succeeded"


@pytest.mark.django_db(transaction=True)
def test_an_always_step_is_retried_without_limit_and_alarms_after_three(ask):
    operation = run_once(ask(fail="always"))
    for _ in range(4):
        Operation.objects.filter(pk=operation.pk).update(due_at=None)
        run_once(operation)

    assert operation.status == "succeeded"
    assert operation.steps.get(name="tidy").attempt == 5
    assert Task.objects.get(kind="always_step_failing").operation == operation


@pytest.mark.django_db(transaction=True)
def test_an_always_step_does_not_run_when_its_counterpart_never_started(ask, operator, tmp_path):
    operation = ask(mark=str(tmp_path / "mark"))
    Operation.objects.filter(pk=operation.pk).update(cancel_requested_at="2026-01-01T00:00:00Z")

    run_once(operation)

    assert operation.status == "cancelled"
    assert not (tmp_path / "mark").exists()
    assert set(operation.steps.values_list("status", flat=True)) == {"skipped"}


@pytest.mark.django_db(transaction=True)
def test_a_poison_step_stops_at_the_attempt_limit(ask, settings):
    operation = ask()
    Step.objects.filter(operation=operation, name="work").update(attempt=settings.OPS_MAX_ATTEMPTS)

    run_once(operation)

    assert operation.status == "failed"
    assert "tried 5 times" in operation.error


@pytest.mark.django_db(transaction=True)
def test_a_step_that_was_not_needed_is_skipped_and_never_done(ask, monkeypatch):
    kind = kinds.get("rehearsal.routine")
    idle = [specs.step(each.name, lambda ctx: ctx.not_needed("No door."), pool=each.pool) for each in kind.steps]
    monkeypatch.setattr(kind, "steps", idle)

    operation = run_once(ask())

    assert operation.status == "succeeded"
    assert set(operation.steps.values_list("status", flat=True)) == {"skipped"}
    assert "No door." in operation.log


@pytest.mark.django_db(transaction=True)
def test_many_steps_that_are_shorter_than_the_heartbeats_pause_keep_the_lease(ask, settings, monkeypatch):
    settings.OPS_LEASE_SECONDS, settings.OPS_HEARTBEAT_SECONDS = 1, 60
    kind = kinds.get("rehearsal.routine")
    short = [specs.step(each.name, lambda _: time.sleep(0.4), pool=each.pool) for each in kind.steps]
    monkeypatch.setattr(kind, "steps", short)

    operation = run_once(ask())

    assert (operation.status, operation.attempt) == ("succeeded", 1)
    assert set(operation.steps.values_list("attempt", flat=True)) == {1}


@pytest.mark.django_db(transaction=True)
def test_the_next_pool_gets_the_operation_with_its_key_but_without_a_lease(ask):
    operation = ask("rehearsal.urgent")

    assert run_once(operation, frozenset({"export"})).status == "running"

    assert (operation.lease_until, operation.pool, operation.exclusive_key) == (
        None,
        "urgent",
        "rehearsal:production:k",
    )
    assert run_once(operation).status == "succeeded"


@pytest.mark.django_db(transaction=True)
def test_only_one_claim_wins_and_the_older_fence_cannot_write(ask):
    operation = ask()
    first = claim(operation.pk, "a")
    assert claim(operation.pk, "b") is None

    Operation.objects.filter(pk=operation.pk).update(lease_until="2020-01-01T00:00:00Z")
    second = claim(operation.pk, "b")

    assert (first.fence, second.fence) == (1, 2)
    assert not extend(first)
    with pytest.raises(LeaseLost):
        write(first, error="late")
    write(second, error="")


@pytest.mark.django_db(transaction=True)
def test_what_was_ended_by_others_is_no_longer_the_workers(ask):
    lease = claim(ask().pk, "slow")
    Operation.objects.advance(lease.operation_id, "running", "expired", ended_at=timezone.now())

    assert not extend(lease)
    with pytest.raises(LeaseLost):
        write(lease, log="too late")


@pytest.mark.django_db(transaction=True)
def test_a_message_delivered_five_times_has_one_effect(ask, tmp_path):
    operation = ask(mark=str(tmp_path / "mark"))
    for _ in range(5):
        run_once(operation)

    assert len((tmp_path / "mark").read_text().splitlines()) == 3
    assert codes(operation).count("operations.succeeded") == 1


@pytest.mark.django_db(transaction=True)
def test_tick_wakes_what_lost_its_message_and_expires_what_nobody_approved(ask, settings):
    settings.OPS_REWAKE_SECONDS = 60  # longer than a tick with every job takes on a busy machine
    sent = []
    from operations.engine import wakeup

    before = wakeup._transport[:]
    wakeup.use(lambda operation_id, pool: sent.append(operation_id))
    try:
        lost = ask()
        waiting = ask("rehearsal.destructive")
        Operation.objects.filter(pk=lost.pk).update(woken_at="2020-01-01T00:00:00Z")
        Operation.objects.filter(pk=waiting.pk).update(expires_at="2020-01-01T00:00:00Z")
        tick()
    finally:
        wakeup.use(before[0])

    assert sent == [lost.pk, lost.pk]
    waiting.refresh_from_db()
    assert waiting.status == "expired"
    assert wake_due() == 0


@pytest.mark.django_db(transaction=True)
def test_many_that_cannot_start_keep_no_message_from_another(ask, monkeypatch):
    monkeypatch.setattr("operations.engine.tick.WOKEN_AT_ONCE", 2)
    stuck, other = [ask() for _ in range(3)], ask()
    Operation.objects.filter(pk__in=[each.pk for each in stuck]).update(woken_at="2020-01-02T00:00:00Z")
    Operation.objects.filter(pk=other.pk).update(woken_at="2020-01-01T00:00:00Z")

    assert wake_due() == 2

    other.refresh_from_db()
    assert other.woken_at.year > 2020


@pytest.mark.django_db(transaction=True)
def test_a_changed_content_or_risk_expires_instead_of_running(ask, monkeypatch):
    operation = ask()
    monkeypatch.setattr(kinds.get("rehearsal.routine").__class__, "content", lambda *_: b"other bytes")

    run_once(operation)

    assert operation.status == "expired"
    assert "Request it again" in operation.error


@pytest.mark.django_db(transaction=True)
def test_changed_steps_refuse_to_resume(ask, monkeypatch):
    operation = ask()
    monkeypatch.setattr(kinds.get("rehearsal.routine"), "steps", [specs.step("other", lambda _: None)])

    assert run_once(operation).status == "expired"


@pytest.mark.django_db(transaction=True)
def test_cancel_before_and_retry_after(ask, operator):
    operation = cancel(ask(), by=operator)
    assert operation.status == "cancelled"
    with pytest.raises(Refused, match="already ended"):
        cancel(operation, by=operator)

    again = retry(operation, by=operator)

    assert again.retry_of == operation
    assert run_once(again).status == "succeeded"
    with pytest.raises(Refused, match="succeeded"):
        retry(again, by=operator)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "needs key"),
        ({"key": "k", "color": "red"}, "does not know color"),
        ({"key": "k", "fail": "x"}, "fail is one of"),
    ],
)
def test_bad_parameters_are_refused_and_recorded(operator, production, parameters, message):
    with pytest.raises(Refused, match=message):
        request("rehearsal.routine", by=operator, environment=production, parameters=parameters)

    assert not Operation.objects.exists()
    assert Entry.objects.get().code == "operations.refused"


@pytest.mark.django_db(transaction=True)
def test_without_the_permission_nothing_is_requested(approver, production):
    with pytest.raises(PermissionDenied):
        request("rehearsal.routine", by=approver, environment=production, parameters={"key": "k"})
    assert not Operation.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("field", ["parameters", "content_sha256", "approvals_required", "kind", "risk"])
def test_the_database_refuses_to_change_what_was_asked(ask, field):
    operation = ask()
    other = {"parameters": {}, "content_sha256": "0" * 64, "approvals_required": 7, "kind": "x", "risk": "sensitive"}

    with pytest.raises(IntegrityError), transaction.atomic():
        Operation.objects.filter(pk=operation.pk).update(**{field: other[field]})


@pytest.mark.django_db(transaction=True)
def test_the_database_refuses_a_second_life_and_a_birth_in_mid_life(ask):
    operation = run_once(ask())
    with pytest.raises(IntegrityError), transaction.atomic():
        Operation.objects.filter(pk=operation.pk).update(status="queued")
    with pytest.raises(IntegrityError), transaction.atomic():
        operation.pk, operation._state.adding = "X" * 26, True
        operation.status = "running"
        operation.save(force_insert=True)
