"""A step that goes on later keeps the key, gives the worker back and uses up no try; a raw error of a database outside
is told in a sentence, and tried again where the connection was lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg import errors

from operations.engine import kinds
from operations.engine.cancel import cancel
from operations.engine.context import NotYet, StepContext
from operations.engine.specs import StepSpec
from operations.models import Operation
from tests.running import run_once

pytestmark = pytest.mark.django_db(transaction=True)
Ask = Callable[..., Operation]


@pytest.fixture
def works(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[StepContext], None]], None]:
    """Let the rehearsal's second step be this function."""

    def works(run: Callable[[StepContext], None]) -> None:
        kind = kinds.get("rehearsal.routine")
        steps = [
            replace(each, run=run) if isinstance(each, StepSpec) and each.name == "work" else each
            for each in kind.steps
        ]
        monkeypatch.setattr(kind, "steps", steps)

    return works


def again(operation: Operation) -> Operation:
    Operation.objects.filter(pk=operation.pk).update(due_at=None)
    return run_once(operation)


@pytest.mark.parametrize("seconds", [0, 300])
def test_not_yet_is_no_failure_however_often(ask: Ask, works: Any, settings: Any, seconds: float) -> None:
    seen: list[int] = []

    def go_on(ctx: StepContext) -> None:
        ctx.state["seen"] = ctx.state.get("seen", 0) + 1
        seen.append(ctx.state["seen"])
        if len(seen) <= settings.OPS_MAX_ATTEMPTS + 2:
            raise NotYet(seconds)

    works(go_on)
    operation = run_once(ask())

    assert (operation.status, operation.lease_owner, operation.error) == ("running", "", "")
    assert (operation.due_at is None) == (seconds == 0)
    assert run_once(ask()).status == "queued", "the key is kept"
    while operation.status == "running":
        again(operation)
    assert operation.status == "succeeded", operation.error
    assert seen == list(range(1, settings.OPS_MAX_ATTEMPTS + 4)), "the state is kept from claim to claim"


def test_a_step_put_off_for_long_is_cancelled_at_once(ask: Ask, works: Any) -> None:
    def go_on(ctx: StepContext) -> None:
        raise NotYet(3600)

    works(go_on)
    operation = run_once(ask())
    cancel(operation, by=operation.requested_by)

    assert run_once(operation).status == "cancelled"


def test_tries_that_got_somewhere_do_not_count(ask: Ask, works: Any, settings: Any) -> None:
    tries: list[int] = []

    def die(ctx: StepContext) -> None:
        tries.append(ctx.attempt)
        ctx.count_anew()
        if len(tries) <= settings.OPS_MAX_ATTEMPTS + 2:
            raise psycopg.OperationalError("the connection is lost")

    works(die)
    operation = run_once(ask())
    while operation.status == "running":
        again(operation)

    assert operation.status == "succeeded", operation.error
    assert set(tries) == {1}


@pytest.mark.parametrize(
    ("error", "retried"),
    [
        (psycopg.OperationalError("server closed the connection unexpectedly"), True),
        (errors.AdminShutdown("terminating connection due to administrator command"), True),
        (errors.UndefinedTable('relation "x" does not exist'), False),
    ],
)
def test_a_raw_error_of_a_database_outside_is_told_and_tried_again_if_it_helps(
    ask: Ask, works: Any, error: psycopg.Error, retried: bool
) -> None:
    def fail(ctx: StepContext) -> None:
        raise error

    works(fail)
    operation = run_once(ask())

    assert operation.status == ("running" if retried else "failed")
    said = operation.steps.get(name="work").error
    assert said.startswith("Step work stopped: ")
    assert "Error:" not in said
