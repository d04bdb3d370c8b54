"""Every verb through a proxy that hits six in ten writes and six in a hundred reads: each request that may have had an
effect leaves once per intent, the end is right or a clear failure, and a look once the faults are over heals the rows.

OPS_TEST_FAULT_WALKS says how many; all verbs take turns.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User

from deployments.models import Service
from deployments.render import at_most_once, client
from deployments.render.sync import poll
from operations.engine.request import request
from operations.engine.run import run_operation
from operations.models import Environment, Operation
from tests import sampling
from tests.deployments.conftest import POOLS
from tests.fault_proxy import FaultProxy
from tests.render_sandbox import Harness

pytestmark = pytest.mark.django_db(transaction=True)
VERBS = ("deploy", "rollback", "maintenance", "set_variable", "restart")
ONCE = {"deploy": "/deploys", "rollback": "/rollback", "restart": "/restart"}  # POSTs that no second may follow


@pytest.fixture
def proxy(sandbox: Harness, api: Service, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    monkeypatch.setattr(at_most_once, "LONG_LOOKS", 8)
    chance = random.Random()
    made = FaultProxy(sandbox.sandbox.base, chance, reads=0.06, writes=0.6)
    settings.RENDER_API_BASE = made.base
    yield made
    made.stop()


def ask(api: Service, operator: User, verb: str) -> Operation:
    Environment.objects.update(votes_sensitive=0)
    back = api.deployments.filter(status="deactivated").order_by("-created_at")[0].render_id
    more = {
        "rollback": {"deployment": back},
        "maintenance": {"state": "on"},
        "set_variable": {"key": "GREETING", "value": "hello"},
    }
    environment, parameters = Environment.objects.get(pk=api.environment_id), more.get(verb, {})
    return request(
        f"deployments.{verb}", by=operator, environment=environment, parameters={"service": api.render_id, **parameters}
    )


def drive(operation: Operation) -> Operation:
    """Each time a worker gives it back another takes it, as tick would make them; no pause is waited for."""
    for _ in range(60):
        client._client.cache_clear()
        Operation.objects.filter(pk=operation.pk).update(due_at=None, lease_until=None)
        run_operation(operation.pk, "test", POOLS, end_process=lambda: None)
        operation.refresh_from_db()
        if operation.terminal:
            return operation
    raise AssertionError(f"never ended: {operation.status} {operation.error}")


def heal(proxy: FaultProxy) -> None:
    """The faults are over, and the portal looks twice."""
    proxy.on = False
    client._client.cache_clear()
    for _ in range(2):
        assert poll().failed == []


def rows_are_true(sandbox: Harness, api: Service) -> None:
    there = {deploy["id"]: deploy["status"] for deploy in sandbox.deploys()}
    here = dict(api.deployments.values_list("render_id", "provider_status"))
    assert {key: here.get(key) for key in there} == there
    assert list(api.deployments.filter(status="live").values_list("render_id", flat=True)) == [
        key for key, status in there.items() if status == "live"
    ]
    api.refresh_from_db()
    seen = sandbox.render.services.get(api.render_id)
    assert (api.maintenance, api.autodeploy) == (seen.maintenance.enabled, seen.auto_deploy)


def effect_is_right(sandbox: Harness, api: Service, operation: Operation, verb: str, before: int) -> None:
    """What succeeded is so at Render; what it made is the operation's, also where that failed."""
    made = sandbox.deploys()[before:]
    ok = operation.status == "succeeded"
    assert len(made) <= (verb in ("deploy", "rollback"))
    if verb in ("deploy", "rollback"):
        owned = list(api.deployments.filter(operation=operation).values_list("render_id", flat=True))
        assert owned == [deploy["id"] for deploy in made]
        assert not ok or made[0]["status"] == "live"
    truth = {
        "maintenance": api.maintenance,
        "set_variable": "hello" in [each.value for each in sandbox.render.env_vars.list(api.render_id)],
        "restart": any(True for _ in sandbox.render.events.list(api.render_id, type="server_restarted")),
    }
    assert not ok or truth.get(verb, True)


@pytest.mark.parametrize("number", range(sampling.size("FAULT_WALKS")))
def test_a_verb_through_faults(sandbox: Harness, api: Service, operator: User, proxy: FaultProxy, number: int) -> None:
    verb, before = VERBS[number % len(VERBS)], len(sandbox.deploys())
    proxy.chance.seed(f"{sampling.SEED} {number}")
    operation = ask(api, operator, verb)

    drive(operation)
    heal(proxy)

    told = f"{verb} {operation.status} {operation.error!r} {proxy.faults} {proxy.writes}"
    assert sum(call.startswith("POST") and call.endswith(ONCE.get(verb, "?")) for call in proxy.writes) <= 1, told
    assert operation.status == "succeeded" or len(operation.error) > 40, told
    rows_are_true(sandbox, api)
    effect_is_right(sandbox, api, operation, verb, before)
