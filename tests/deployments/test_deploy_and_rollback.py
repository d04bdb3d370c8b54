"""Deploy and rollback: one POST per intent whatever Render does, autodeploy off, health by status and body."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from deployments.models import Deployment, Service
from deployments.render import wait_for_deploy
from operations.engine import kinds
from operations.engine.context import StepContext
from operations.engine.request import request
from operations.engine.specs import Consequence
from operations.models import Operation, Step, Task
from providers.errors import Refused
from providers.render.deploys import Deploys
from tests.deployments.conftest import finish
from tests.render_sandbox import Harness

pytestmark = pytest.mark.django_db
Act = Callable[..., Operation]


def sent(sandbox: Harness, ending: str) -> int:
    return sum(call.endswith(ending) for call in sandbox.writes())


def target(api: Service) -> Deployment:
    return api.deployments.filter(status="deactivated").order_by("-created_at")[0]


def test_deploy_ends_live_and_healthy_and_is_ours(sandbox: Harness, api: Service, act: Act) -> None:
    commit = sandbox.control("push", branch="main", message="Ship it")["id"]

    operation = act("deployments.deploy")

    row = api.deployments.get(commit_sha=commit)
    assert (operation.status, operation.error) == ("succeeded", "")
    assert (row.status, row.health, row.operation_id, row.who) == ("live", "healthy", operation.pk, "operator")
    assert operation.result["deployment"] == row.render_id
    assert sent(sandbox, "/deploys") == 1


def test_deploy_of_a_commit(sandbox: Harness, api: Service, act: Act) -> None:
    commit = sandbox.sandbox.world.commits["main"][3]["id"]

    operation = act("deployments.deploy", commit=commit[:10], clear_cache="yes")

    assert operation.status == "succeeded"
    assert api.deployments.filter(operation=operation, commit_sha=commit).exists()


@pytest.mark.parametrize("phase", ["build", "pre_deploy", "update", "unhealthy"])
def test_a_failed_deploy_says_so_and_keeps_what_was_live(sandbox: Harness, api: Service, act: Act, phase: str) -> None:
    live = api.deployments.get(status="live")
    sandbox.control("fail", service=api.name, phase=phase)

    operation = act("deployments.deploy")

    live.refresh_from_db()
    assert operation.status == "failed"
    assert "still live" in operation.error
    assert live.status == "live"
    assert sent(sandbox, "/deploys") == 1


def test_degraded_with_200_is_not_healthy(sandbox: Harness, api: Service, act: Act) -> None:
    sandbox.control("push", branch="main", message="Break the pool", behaviour="degraded")

    operation = act("deployments.deploy")

    assert operation.status == "failed"
    assert "the body says degraded" in operation.error
    assert api.deployments.get(operation=operation).health == "unhealthy"


@pytest.mark.parametrize("kind", ["deployments.deploy", "deployments.rollback"])
@pytest.mark.parametrize("fault", ["lost", "500", "503", "hang", "cut", "empty"])
def test_a_post_is_sent_once_whatever_render_does(
    sandbox: Harness, api: Service, act: Act, kind: str, fault: str
) -> None:
    path = "deploys" if kind.endswith("deploy") else "rollback"
    sandbox.control("fault", match=f"POST .*/{path}$", kind=fault, seconds=0.3)
    more = {} if path == "deploys" else {"deployment": target(api).render_id}

    operation = act(kind, **more)

    assert sent(sandbox, f"/{path}") == 1
    happened = fault in ("lost", "empty")
    assert operation.status == ("succeeded" if happened else "failed")
    assert api.deployments.filter(operation=operation).count() == int(happened)
    if not happened:
        assert "was not started" in operation.error


def test_a_refused_post_is_final_and_a_full_bucket_waits(sandbox: Harness, api: Service, act: Act) -> None:
    sandbox.control("fault", match="POST .*/deploys$", kind="409")
    assert "declined" in act("deployments.deploy").error
    sandbox.control("fault", match="POST .*/deploys$", kind="429")

    waiting = act("deployments.deploy")

    assert waiting.status == "running"
    assert Step.objects.get(operation=waiting, name="send").detail.get("asked_at") is None


def test_a_worker_killed_after_the_post_finds_its_deploy(
    sandbox: Harness, api: Service, act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    import deployments.render.at_most_once

    class Killed(BaseException):
        pass

    def die(*arguments: object, **named: object) -> None:
        raise Killed

    monkeypatch.setattr(deployments.render.at_most_once, "observe", die)
    with pytest.raises(Killed):
        act("deployments.deploy")
    monkeypatch.undo()
    operation = Operation.objects.get()
    Operation.objects.update(lease_until=None)

    operation = finish(operation)

    assert operation.status == "succeeded"
    assert sent(sandbox, "/deploys") == 1
    assert api.deployments.filter(operation=operation).count() == 1


def test_rollback_switches_autodeploy_off_and_opens_a_task(sandbox: Harness, api: Service, act: Act) -> None:
    sandbox.render.services.set_autodeploy(api.render_id, True)
    back = target(api)

    operation = act("deployments.rollback", deployment=back.render_id)

    api.refresh_from_db()
    live = api.deployments.get(status="live")
    assert (operation.status, operation.risk) == ("succeeded", "routine")
    assert (live.commit_sha, live.trigger, live.who) == (back.commit_sha, "rollback", "operator")
    assert not api.autodeploy
    assert not sandbox.render.services.get(api.render_id).auto_deploy
    task = Task.objects.get(kind=Task.Kind.REENABLE_AUTODEPLOY)
    act("deployments.autodeploy", state="on")
    task.refresh_from_db()
    assert task.closed_at is not None


def test_rollback_needs_one_person_also_in_a_freeze(sandbox: Harness, api: Service, operator: User) -> None:
    from datetime import timedelta

    from django.utils import timezone

    api.environment.frozen_until = timezone.now() + timedelta(hours=1)
    api.environment.save()
    back = {"service": api.name, "deployment": target(api).commit_sha[:7]}

    operation = request("deployments.rollback", by=operator, environment=api.environment, parameters=back)

    assert operation.status == "queued"
    with pytest.raises(Refused, match="frozen until"):
        request("deployments.deploy", by=operator, environment=api.environment, parameters={"service": api.name})


def test_a_deploy_to_production_waits_for_a_vote(api: Service, operator: User) -> None:
    asked = request("deployments.deploy", by=operator, environment=api.environment, parameters={"service": api.name})

    assert (asked.status, asked.approvals_required) == ("awaiting_approval", 1)


def test_another_part_can_make_a_rollback_need_a_vote(
    api: Service, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tell(environment: object, parameters: object) -> list[Consequence]:
        return [Consequence("will not be undone: DROP TABLE leads", "bad")]

    monkeypatch.setitem(kinds.registry.consequences, "deployments.rollback", [tell])
    back = {"service": api.name, "deployment": target(api).render_id}

    asked = request("deployments.rollback", by=operator, environment=api.environment, parameters=back)

    assert (asked.status, asked.risk) == ("awaiting_approval", "sensitive")


def test_a_registered_guard_refuses_a_rollback(api: Service, operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(environment: object, parameters: object) -> None:
        raise Refused("The schema is newer than that build. Nothing was requested.")

    monkeypatch.setitem(kinds.registry.guards, "deployments.rollback", [refuse])
    back = {"service": api.name, "deployment": target(api).render_id}

    with pytest.raises(Refused, match="newer than that build"):
        request("deployments.rollback", by=operator, environment=api.environment, parameters=back)


@pytest.mark.parametrize(
    ("kind", "given", "reason"),
    [
        ("deployments.deploy", {"service": "nobody"}, "has no service"),
        ("deployments.deploy", {"commit": "not-a-sha"}, "is not a commit"),
        ("deployments.deploy", {"clear_cache": "maybe"}, "yes or no"),
        ("deployments.rollback", {"deployment": "dep-unknown"}, "has no deployment"),
        ("deployments.rollback", {"deployment": "failed"}, "was never live"),
        ("deployments.rollback", {"deployment": "live"}, "is what is live now"),
        ("deployments.cancel", {"deployment": "live"}, "cannot be cancelled"),
    ],
)
def test_bad_input_is_refused_with_its_reason(
    api: Service, operator: User, kind: str, given: dict[str, str], reason: str
) -> None:
    if given.get("deployment") in ("failed", "live"):
        status = {"failed": "build_failed", "live": "live"}[given["deployment"]]
        given = {"deployment": api.deployments.filter(status=status)[0].render_id}

    with pytest.raises(Refused, match=reason):
        request(kind, by=operator, environment=api.environment, parameters={"service": api.name} | given)


def test_cancel_stops_a_running_deploy(sandbox: Harness, api: Service, act: Act) -> None:
    from deployments.render.sync import poll

    sandbox.sandbox.world.phases["build_in_progress"] = 600
    sandbox.control("manual", service=api.name)
    poll()

    operation = act("deployments.cancel", deployment=api.deployments.all()[0].render_id)

    assert operation.status == "succeeded"
    assert api.deployments.all()[0].status == "canceled"
    assert api.deployments.filter(status="live").count() == 1


@pytest.mark.parametrize("answer", ["", "500", "409", "without effect"])
def test_a_cancelled_operation_says_that_its_deploy_may_go_on(
    sandbox: Harness, api: Service, act: Act, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    sandbox.sandbox.world.phases["build_in_progress"] = 600
    read = wait_for_deploy._read_deploy
    if answer == "without effect":
        monkeypatch.setattr(Deploys, "cancel", lambda *_: None)
    elif answer:
        sandbox.control("fault", match="POST .*/cancel", kind=answer)

    def reads_and_is_cancelled(ctx: StepContext, *given: Any) -> Any:
        ctx.cancelled.set()
        return read(ctx, *given)

    monkeypatch.setattr(wait_for_deploy, "_read_deploy", reads_and_is_cancelled)

    operation = act("deployments.deploy")

    assert (operation.status, sandbox.deploys()[-1]["status"] == "canceled") == ("cancelled", not answer)
    assert ("it may still go live" in operation.error) is bool(operation.error) is bool(answer)
