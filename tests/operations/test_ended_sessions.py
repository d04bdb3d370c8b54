"""The portal's own database ends a session at whatever line: the operation goes on, and what it did is done once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from operations.engine import run
from operations.engine.run import run_operation
from operations.engine.specs import POOLS
from operations.models import Operation
from tests import sampling

pytestmark = pytest.mark.django_db(transaction=True)
Ask = Callable[..., Operation]
LINES = 60  # statements of one rehearsal, and some


def end_session() -> None:
    """As an administrator or a fail-over does."""
    wrapped = connection.connection
    if wrapped is None or wrapped.closed:
        return
    known = connection.get_connection_params()
    where = {key: known[key] for key in ("host", "port", "user", "password", "dbname") if known.get(key)}
    with psycopg.connect(**where, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [wrapped.info.backend_pid])


def drive(operation: Operation, wrapper: Callable[..., Any] | None = None) -> Operation:
    """New claims take over until it ends, as the tick makes them; `wrapper` is around each statement of theirs."""
    for _ in range(12):
        Operation.objects.filter(pk=operation.pk).update(due_at=timezone.now(), lease_until=None)
        with connection.execute_wrapper(wrapper) if wrapper else nullcontext():
            run_operation(operation.pk, "test", frozenset(POOLS), end_process=lambda: None)
        connection.close()
        operation.refresh_from_db()
        if operation.terminal:
            return operation
    raise AssertionError(f"never ended: {operation.status} {operation.error}")


@pytest.mark.parametrize("part", range(4))
def test_an_operation_outlives_the_end_of_its_session_at_any_statement(ask: Ask, part: int) -> None:
    for number in sampling.turns(LINES, 6):
        if number % 4 != part:
            continue
        operation, count = ask("rehearsal.routine", key=str(number)), [0]

        def ends_once(execute: Callable[..., Any], *given: object, at: int = number, seen: list[int] = count) -> object:
            seen[0] += 1
            if seen[0] == at:
                end_session()
            return execute(*given)

        ended = drive(operation, ends_once)

        assert (ended.status, ended.error) == ("succeeded", ""), number
        assert ended.steps.filter(attempt__gt=2).count() == 0, number


def test_a_failure_of_the_database_is_no_failure_of_the_operation(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    operation, real, broken = ask("rehearsal.routine", key="x"), run._advance, []

    def breaks_first(*given: object) -> bool:
        if not broken:
            broken.append(1)
            end_session()
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(run, "_advance", breaks_first)

    assert drive(operation).status == "succeeded"
    assert broken == [1]
