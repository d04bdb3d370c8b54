"""Which workers do what: exports never hold up a deploy, and neither holds up what restores service."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from deployments.models import Service
from operations.engine import kinds
from operations.engine.claim import claim
from operations.engine.request import request
from operations.engine.run import run_operation
from operations.models import Environment, Operation, Task
from tests.render_sandbox import Harness

pytestmark = pytest.mark.django_db
Act = Callable[..., Operation]


def test_no_step_waits_behind_exports_and_restoring_ones_wait_for_nothing() -> None:
    ours = {name: kind for name, kind in kinds.registry.kinds.items() if name.startswith("deployments.")}

    pools = {name: {step.pool for step in kind.resolved_steps({})} for name, kind in ours.items()}

    assert not [name for name, queues in pools.items() if "export" in queues or "prove" in queues]
    assert {name for name, kind in ours.items() if kind.restores_service} <= {
        name for name, queues in pools.items() if queues == {"urgent"}
    }


def test_a_rollback_passes_a_busy_export_and_a_deploy_that_hangs(
    sandbox: Harness, api: Service, operator: User, transactional_db: None
) -> None:
    Environment.objects.update(votes_sensitive=0)
    environment = Environment.objects.get(pk=api.environment_id)
    back = api.deployments.filter(status="deactivated").order_by("-created_at")[0]
    where = {"by": operator, "environment": environment}
    hanging = request("deployments.deploy", parameters={"service": api.name}, **where)
    assert claim(hanging.pk, "a worker that waits for Render") is not None

    given = {"service": api.name, "deployment": back.render_id}
    rollback = request("deployments.rollback", parameters=given, **where)
    ended = run_operation(rollback.pk, "urgent", frozenset({"urgent"}), end_process=lambda: None)

    assert ended == "succeeded"
    assert Operation.objects.get(pk=hanging.pk).status == "running"


def test_a_deploy_needs_only_the_deploy_workers(api: Service, operator: User, transactional_db: None) -> None:
    Environment.objects.update(votes_sensitive=0)
    environment = Environment.objects.get(pk=api.environment_id)
    asked = request("deployments.deploy", by=operator, environment=environment, parameters={"service": api.name})

    assert asked.pool == "deploy"
    assert run_operation(asked.pk, "d", frozenset({"deploy"}), end_process=lambda: None) == "succeeded"


@pytest.mark.parametrize("was_on", [True, False])
def test_a_declined_rollback_tells_what_it_left_off(sandbox: Harness, api: Service, act: Act, was_on: bool) -> None:
    sandbox.render.services.set_autodeploy(api.render_id, was_on)
    sandbox.control("fault", match="POST .*/rollback$", kind="409")
    back = api.deployments.filter(status="deactivated").order_by("-created_at")[0]

    operation = act("deployments.rollback", deployment=back.render_id)

    assert operation.status == "failed"
    assert "declined" in operation.error
    assert ("Autodeploy of sampelit-api was switched off before and stays off" in operation.error) is was_on
    assert Task.objects.filter(kind=Task.Kind.REENABLE_AUTODEPLOY, closed_at=None).exists() is was_on
