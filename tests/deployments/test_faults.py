"""Render cut, slow, limited and failing at random, and workers killed in mid-deploy: one POST per intent, a true end.

A seeded sample; DEPLOY_FAULTS raises the number of runs.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from deployments.models import Service
from deployments.render import at_most_once, client, wait_for_deploy
from operations.engine.request import request
from operations.engine.run import run_operation
from operations.models import Environment, Operation
from providers.render.deploys import Deploys
from tests.deployments.conftest import POOLS
from tests.render_sandbox import Harness

pytestmark = pytest.mark.django_db(transaction=True)
RUNS = int(os.environ.get("DEPLOY_FAULTS", "6"))


class Killed(BaseException):
    """kill -9 of the worker, as far as the rows can tell."""


def ask_for(api: Service, operator: User, kind: str) -> Operation:
    Environment.objects.update(votes_sensitive=0)
    more = {}
    if kind == "rollback":
        more = {"deployment": api.deployments.filter(status="deactivated").order_by("-created_at")[0].render_id}
    environment = Environment.objects.get(pk=api.environment_id)
    return request(
        f"deployments.{kind}", by=operator, environment=environment, parameters={"service": api.render_id, **more}
    )


def drive(operation: Operation) -> Operation:
    """New workers take over until it ends, as tick would make them."""
    for _ in range(12):
        client._client.cache_clear()
        Operation.objects.filter(pk=operation.pk).update(due_at=None, lease_until=None)
        try:
            run_operation(operation.pk, "test", POOLS, end_process=lambda: None)
        except Killed:
            continue
        operation.refresh_from_db()
        if operation.terminal:
            return operation
    raise AssertionError(f"never ended: {operation.status} {operation.error}")


def settled(sandbox: Harness, api: Service, operation: Operation, kind: str, before: int) -> None:
    """At most one POST; success means exactly one new deploy, which is ours; a failure says what to do."""
    posts = sum(call.endswith("/deploys" if kind == "deploy" else "/rollback") for call in sandbox.writes())
    made = len(sandbox.deploys()) - before
    assert posts <= 1
    assert made <= posts
    if operation.status == "succeeded":
        assert made == 1
        row = api.deployments.get(operation=operation)
        assert (row.status, row.render_id) == ("live", sandbox.deploys()[-1]["id"])
    else:
        assert operation.status == "failed"
        assert len(operation.error) > 20


@pytest.mark.parametrize("seed", range(RUNS))
def test_random_faults(sandbox: Harness, api: Service, operator: User, seed: int) -> None:
    chance = random.Random(seed)
    kind = chance.choice(["deploy", "rollback"])
    operation, before = ask_for(api, operator, kind), len(sandbox.deploys())
    for _ in range(chance.randint(1, 5)):
        match = chance.choice(["GET", "GET .*/deploys", "POST", "POST", "PATCH", "GET /services/srv-"])
        sandbox.control(
            "fault", match=match, kind=chance.choice(["500", "503", "429", "lost", "cut"]), times=chance.randint(1, 3)
        )

    settled(sandbox, api, drive(operation), kind, before)


@pytest.mark.parametrize("kind", ["deploy", "rollback"])
@pytest.mark.parametrize("moment", ["before the call", "after the call", "before the record", "while watching"])
def test_a_worker_killed_in_mid_deploy(
    sandbox: Harness, api: Service, operator: User, monkeypatch: pytest.MonkeyPatch, kind: str, moment: str
) -> None:
    method = "create" if kind == "deploy" else "rollback"
    real, died = getattr(Deploys, method), []

    def once(inner: Callable[..., object] | None, *arguments: object, **named: object) -> object:
        answer = inner(*arguments, **named) if inner else None
        if not died:
            died.append(1)
            raise Killed
        return answer

    if moment == "before the call":
        monkeypatch.setattr(Deploys, method, lambda *a, **n: once(None, *a, **n))
    elif moment == "after the call":
        monkeypatch.setattr(Deploys, method, lambda *a, **n: once(real, *a, **n))
    elif moment == "before the record":
        observe = at_most_once.observe
        monkeypatch.setattr(at_most_once, "observe", lambda *a, **n: once(None) if not died else observe(*a, **n))
    else:
        look = wait_for_deploy._read_deploy
        monkeypatch.setattr(wait_for_deploy, "_read_deploy", lambda *a: once(None) if not died else look(*a))
    operation, before = ask_for(api, operator, kind), len(sandbox.deploys())

    ended = drive(operation)

    settled(sandbox, api, ended, kind, before)
    assert died
    assert ended.status == ("failed" if moment == "before the call" else "succeeded")


def test_a_long_history_is_read_in_pages_and_once(sandbox: Harness, db: None) -> None:
    from deployments.render.sync import poll

    world, service = sandbox.sandbox.world, sandbox.service()
    sample = world.deploys[service][0]
    for number in range(350):
        at = f"2025-0{1 + number % 9}-11T00:00:{number % 60:02d}Z"
        times = dict.fromkeys(("createdAt", "startedAt", "finishedAt", "updatedAt"), at)
        world.deploys[service].insert(0, {**sample, "id": world.new_id("dep", str(number)), **times})

    first, second = poll(), poll()

    assert (first.created, second.created) == (59 + 350, 0)
    assert Service.objects.get(render_id=service).deployments.count() == 364
