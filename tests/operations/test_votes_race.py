"""Claims and a demotion, or a vote taken back, at the same moment: nothing begins on a vote that was gone before."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from operations.approvals.voting import revoke
from operations.engine import kinds, specs
from operations.engine.run import run_operation
from operations.models import Operation
from providers.errors import Refused
from tests import sampling
from tests.stepping import approve

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = sampling.size("VOTE_RACES")


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The operations whose step ran."""
    ran: list[str] = []
    steps = [specs.step("act", lambda context: ran.append(context.operation.pk))]
    monkeypatch.setattr(kinds.get("rehearsal.destructive"), "steps", steps)
    return ran


def at_once(*acts: Callable[[], None]) -> None:
    barrier = threading.Barrier(len(acts))

    def act(it: Callable[[], None]) -> None:
        barrier.wait()
        try:
            it()
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=(it,)) for it in acts]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]


def claiming(operation: Operation, name: str) -> Callable[[], None]:
    return lambda: run_operation(operation.pk, name, frozenset(specs.POOLS), end_process=lambda: None) and None


@pytest.mark.parametrize("number", range(ROUNDS))
def test_nothing_begins_on_a_vote_that_was_gone_before(ask, approver, approver2, runs, number):
    operation = ask("rehearsal.destructive", key=str(number))
    for person in (approver, approver2):
        approve(operation, by=person)
    had_begun: list[bool] = []

    def deactivate() -> None:
        with transaction.atomic():
            User.objects.filter(pk=approver.pk).update(is_active=False)
            had_begun.append(operation.steps.exclude(status="pending").exists())

    at_once(claiming(operation, "a"), deactivate, claiming(operation, "b"))

    operation.refresh_from_db()
    assert len(runs) <= 1
    assert bool(runs) is had_begun[0]
    assert operation.status in ("succeeded", "awaiting_approval", "expired")


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_vote_is_taken_back_or_it_began(ask, approver, approver2, runs, number):
    operation = ask("rehearsal.destructive", key=str(number))
    for person in (approver, approver2):
        approve(operation, by=person)
    taken: list[bool] = []

    def take_back() -> None:
        try:
            revoke(operation, by=approver)
            taken.append(True)
        except Refused:
            taken.append(False)

    at_once(claiming(operation, "a"), take_back, claiming(operation, "b"))

    assert len(runs) == (0 if taken[0] else 1)
