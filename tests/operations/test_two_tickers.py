"""What another process did between a read and its conditional UPDATE counts: it is done, and told, once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from operations.engine import tick
from operations.engine.cancel import cancel
from operations.engine.claim import LeaseLost, claim, extend, write
from operations.engine.request import request
from operations.models import Heartbeat, Operation
from operations.periodic.isolation import SomeFailed
from tests.stepping import break_glass

pytestmark = pytest.mark.django_db(transaction=True)
Ask = Callable[..., Operation]


def _both(monkeypatch: pytest.MonkeyPatch, job: Callable[[], None]) -> list[str]:
    """Run the job, while another ticker runs it too after the first row; of which operations the ledger was told."""
    told: list[str] = []

    def record(operation: Operation, code: str, **_: Any) -> None:
        told.append(operation.pk)
        job()

    monkeypatch.setattr(tick, "record_about", record)
    job()
    return sorted(told)


def test_a_request_expires_once_and_no_other_with_it(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    old = [ask("rehearsal.sensitive", key=key).pk for key in "ab"]
    Operation.objects.filter(pk__in=old).update(expires_at=timezone.now() - timedelta(seconds=1))
    waiting = ask("rehearsal.sensitive", key="c")

    assert _both(monkeypatch, tick.expire_old_requests) == sorted(old)

    waiting.refresh_from_db()
    assert waiting.status == "awaiting_approval"


def test_a_request_that_cannot_be_told_stays_and_the_others_expire(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    old = [ask("rehearsal.sensitive", key=key).pk for key in "abc"]
    Operation.objects.filter(pk__in=old).update(expires_at=timezone.now() - timedelta(seconds=1))

    def record(operation: Operation, code: str, **_: Any) -> None:
        if operation.pk == old[1]:
            Operation.objects.raw("SELECT no_such_column FROM operations_operation")[0]

    monkeypatch.setattr(tick, "record_about", record)
    with pytest.raises(SomeFailed, match="1 failed"):
        tick.expire_old_requests()

    assert [Operation.objects.get(pk=pk).status for pk in old] == ["expired", "awaiting_approval", "expired"]


def test_a_break_glass_lapses_once(ask: Ask, operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = [break_glass(ask("rehearsal.destructive", key=key), by=operator, reason="shop is down") for key in "ab"]
    lapsed = [operation.pk for operation in broken]
    Operation.objects.filter(pk__in=lapsed).update(break_glass_until=timezone.now() - timedelta(seconds=1))

    assert _both(monkeypatch, tick.return_lapsed_break_glass) == sorted(lapsed)


def test_who_comes_too_late_moves_nothing(ask: Ask) -> None:
    operation = ask()

    assert not Operation.objects.advance(operation.pk, "awaiting_approval", "expired")

    operation.refresh_from_db()
    assert operation.status == "queued"


def test_what_waits_for_its_next_try_is_claimed_by_nobody(ask: Ask) -> None:
    operation = ask()
    Operation.objects.filter(pk=operation.pk).update(due_at=timezone.now() + timedelta(hours=1))

    assert claim(operation.pk, "early") is None


def test_what_waits_for_votes_has_ended_or_is_the_demos_story_is_never_due(ask: Ask, operator: User) -> None:
    waiting = ask("rehearsal.destructive")
    cancel(ask(key="ended"), by=operator)
    request("rehearsal.routine", by=operator, environment=waiting.environment, parameters={"key": "told"}, seeded=True)

    assert not Operation.objects.due().exists()


def test_a_lease_that_ran_out_writes_nothing_even_before_the_next_claim(ask: Ask) -> None:
    lease = claim(ask().pk, "slow")
    assert lease is not None
    Operation.objects.filter(pk=lease.operation_id).update(lease_until=timezone.now() - timedelta(seconds=1))

    assert not extend(lease)
    with pytest.raises(LeaseLost):
        write(lease, log="too late")


def test_a_job_that_starts_beats_for_no_other() -> None:
    Heartbeat.objects.create(name="job:test.mine", beat_at="2020-01-01T00:00:00Z")
    other = Heartbeat.objects.create(name="worker:w1", beat_at="2020-01-01T00:00:00Z")
    runs: list[str] = []

    tick.run_job(tick.Job("test.mine", 60, lambda: runs.append("mine")))

    assert runs == ["mine"]
    assert Heartbeat.objects.get(pk=other.pk).beat_at.year == 2020


def test_a_job_whose_slot_is_taken_is_left_alone() -> None:
    Heartbeat.objects.create(name="job:test.mine", beat_at=timezone.now())
    runs: list[str] = []

    tick.run_job(tick.Job("test.mine", 60, lambda: runs.append("mine")))

    assert runs == []
