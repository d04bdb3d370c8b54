"""Every write of the engine names the row it means: another operation in mid-life, and its steps, stay as they were."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.fixtures import Settings

from operations.engine import kinds, specs
from operations.engine.cancel import cancel
from operations.engine.claim import claim
from operations.engine.run import run_operation
from operations.models import AccessToken, Operation, Step, StepStatus


def _run(operation: Operation, by: User) -> None:
    run_operation(operation.pk, "test", frozenset(specs.POOLS), end_process=lambda: None)


def _cancel_while_it_runs(operation: Operation, by: User) -> None:
    claim(operation.pk, "test")
    cancel(operation, by=by)


def _run_what_was_cancelled(operation: Operation, by: User) -> None:
    Operation.objects.filter(pk=operation.pk).update(cancel_requested_at=timezone.now())
    _run(operation, by)


def _run_what_died_in_its_always_step(operation: Operation, by: User) -> None:
    Operation.objects.filter(pk=operation.pk).update(outcome="failed")
    operation.steps.exclude(name="tidy").update(status=StepStatus.FAILED, ended_at=timezone.now())
    operation.steps.filter(name="tidy").update(status=StepStatus.RUNNING, attempt=1)
    _run(operation, by)


def _run_what_lost_its_always_step(operation: Operation, by: User) -> None:
    operation.steps.filter(name="prepare").update(status=StepStatus.SUCCEEDED, ended_at=timezone.now(), attempt=1)
    kinds.get(operation.kind).steps = [specs.step("other", lambda _: None)]
    _run(operation, by)


def _rows(operation: Operation) -> list[Any]:
    steps = Step.objects.filter(operation=operation).order_by("position")
    return [Operation.objects.filter(pk=operation.pk).values().get(), *steps.values()]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("act", "ends"),
    [
        (_run, "succeeded"),
        (_cancel_while_it_runs, "running"),
        (_run_what_was_cancelled, "cancelled"),
        (_run_what_died_in_its_always_step, "running"),
        (_run_what_lost_its_always_step, "failed"),
    ],
)
def test_no_act_touches_another_operation(
    ask: Callable[..., Operation],
    operator: User,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[Operation, User], None],
    ends: str,
) -> None:
    settings.OPS_LEASE_SECONDS = 60
    monkeypatch.setattr(kinds.get("rehearsal.routine"), "steps", kinds.get("rehearsal.routine").steps)
    operation, bystander = ask(), ask(key="other")
    claim(bystander.pk, "elsewhere")
    before = _rows(bystander)

    act(operation, operator)

    operation.refresh_from_db()
    assert operation.status == ends
    assert _rows(bystander) == before


@pytest.mark.django_db
def test_the_use_of_a_token_is_noted_at_no_other(operator: User) -> None:
    _, clear = AccessToken.objects.issue(operator, "laptop")
    other, _ = AccessToken.objects.issue(operator, "never used")

    assert AccessToken.objects.owner(clear) == operator

    assert AccessToken.objects.exclude(last_used_at=None).count() == 1
    other.refresh_from_db()
    assert other.last_used_at is None
