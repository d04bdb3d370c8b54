"""Generated histories of request, vote, revoke, cancel, break-glass, expiry, change and run: no illegal life."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from hypothesis import HealthCheck, given, settings, strategies

from operations.approvals.voting import reject, revoke
from operations.engine import kinds, specs
from operations.engine.cancel import cancel
from operations.engine.request import request
from operations.engine.run import run_operation
from operations.engine.tick import expire_old_requests
from operations.models import Environment, Operation
from operations.models.operation import TERMINAL, TRANSITIONS
from providers.errors import Refused
from tests import sampling
from tests.people import holder
from tests.stepping import approve, break_glass

HISTORIES = sampling.size("HISTORIES")
PEOPLE = ("olga", "ada", "ben", "carl")
moves = strategies.lists(
    strategies.one_of(
        strategies.tuples(
            strategies.sampled_from(["approve", "reject", "revoke", "cancel", "glass"]), strategies.sampled_from(PEOPLE)
        ),
        strategies.tuples(strategies.sampled_from(["run", "expire", "change"]), strategies.just("")),
    ),
    max_size=12,
)


class Changeable(kinds.OperationKind):
    permission, label = "operations.run_rehearsal", "Changeable"
    text = b""

    def __init__(self, risk: str) -> None:
        self.name, self.risk = f"test.{risk}", risk
        self.runs: list[str] = []
        self.steps = [specs.step("act", lambda context: self.runs.append(context.operation.pk))]

    def content(self, environment, parameters):
        return self.text


@pytest.fixture
def house(db):
    people = {name: holder(name, "approve_operation", "cancel_operation") for name in ("ada", "ben", "carl")}
    people["olga"] = holder("olga", "run_rehearsal", "approve_operation", "break_glass")
    return people, Environment.objects.create(slug="production", name="P", kind="production", protected=True)


@settings(
    max_examples=HISTORIES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(risk=strategies.sampled_from(["routine", "sensitive", "destructive"]), history=moves)
def test_no_history_breaks_the_rules(house, risk, history):
    people, production = house
    kind = Changeable(risk)
    kinds.registry.kinds[kind.name] = kind
    try:
        operation = request(kind.name, by=people["olga"], environment=production, parameters={})
        changed = False
        for move, who in history:
            before, ran = operation.status, len(kind.runs)
            changed = changed or move == "change"
            play(move, people.get(who), operation, kind)
            operation.refresh_from_db()
            legal(before, operation.status)
            if len(kind.runs) > ran:
                assert not changed
                allowed(operation)
        assert len(kind.runs) <= 1
    finally:
        del kinds.registry.kinds[kind.name]


def play(move: str, who: User | None, operation: Operation, kind: Changeable) -> None:
    if move == "run":
        run_operation(operation.pk, "test", frozenset(specs.POOLS), end_process=lambda: None)
    elif move == "expire":
        Operation.objects.filter(pk=operation.pk).update(expires_at="2020-01-01T00:00:00Z")
        expire_old_requests()
    elif move == "change":
        kind.text = b"other"
    else:
        verbs = {
            "approve": lambda: approve(operation, by=who),
            "reject": lambda: reject(operation, by=who),
            "revoke": lambda: revoke(operation, by=who),
            "cancel": lambda: cancel(operation, by=who),
            "glass": lambda: break_glass(operation, by=who, reason="a generated emergency"),
        }
        try:
            verbs[move]()
        except (Refused, PermissionDenied):
            operation.refresh_from_db()


def legal(before: str, after: str) -> None:
    if before == after:
        return
    assert before not in TERMINAL
    reachable, front = {before}, {before}
    while front:
        front = {target for source in front for target in TRANSITIONS.get(source, set())} - reachable
        reachable |= front
    assert after in reachable


def allowed(operation: Operation) -> None:
    voters = operation.approvals.filter(decision="approve", revoked_at=None).values_list("approved_by", flat=True)
    assert operation.requested_by_id not in voters
    assert len(set(voters)) >= operation.approvals_required or operation.break_glass_by_id
