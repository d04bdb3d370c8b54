"""A deploy that Render lists after its operation gave it up is found again by what was asked for, and stays ours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from deployments.models import Service
from deployments.render import at_most_once, intent
from deployments.render.intent import found_late
from deployments.render.sync import poll
from ledger.models import Entry
from operations.models import Notification, Operation, Step
from providers.render import Deploy
from tests.render_sandbox import Harness

pytestmark = pytest.mark.django_db
Act = Callable[..., Operation]


@pytest.mark.parametrize("kind", ["deploy", "rollback"])
@pytest.mark.parametrize("fault", ["lost", "empty"])
def test_it_is_ours_after_all(
    sandbox: Harness, api: Service, act: Act, monkeypatch: pytest.MonkeyPatch, kind: str, fault: str
) -> None:
    monkeypatch.setattr(intent.Search, "look", lambda self: None)
    monkeypatch.setattr(at_most_once, "LONG_LOOKS", 3)
    sandbox.control("fault", match=f"POST .*/{'deploys' if kind == 'deploy' else kind}$", kind=fault)
    back = api.deployments.filter(status="deactivated").order_by("-created_at")[0]
    more = {"deployment": back.render_id} if kind == "rollback" else {}
    operation = act(f"deployments.{kind}", **more)
    assert (operation.status, "before you request it again" in operation.error) == ("failed", True)
    sandbox.deploys()[-1]["createdAt"] = timezone.now().isoformat()

    poll()
    poll()

    row = api.deployments.get(render_id=sandbox.deploys()[-1]["id"])
    assert (row.operation_id, row.who, row.actor_source) == (operation.pk, "operator", "operation")
    assert Entry.objects.filter(code="deployments.started", actor="outside the portal").count() == 0
    assert Notification.objects.filter(subject__endswith="was started after all").count() == 1


@pytest.mark.parametrize(
    ("minutes", "trigger", "sent", "is_found"),
    [
        (1, "api", {}, True),
        (29, "api", {}, True),
        (31, "api", {}, False),
        (-1, "api", {}, False),
        (1, "manual", {}, False),
        (1, "rollback", {}, False),
        (1, "api", {"deploy": "dep-other"}, False),
        (1, "api", {"known": ["dep-late"]}, False),
        (1, "api", {"possible": ["dep-late"]}, False),
        (1, "api", {"asked_at": ""}, False),
    ],
)
def test_only_what_was_sent_for_is_found(
    api: Service, act: Act, sandbox: Harness, minutes: int, trigger: str, sent: dict[str, object], is_found: bool
) -> None:
    sandbox.control("fault", match="POST .*/deploys$", kind="409")
    operation = act("deployments.deploy")
    asked = timezone.now()
    detail = {"asked_at": asked.isoformat(timespec="seconds"), "known": [], **sent}
    Step.objects.filter(operation=operation, name="send").update(detail=detail)

    found = late(asked + timedelta(minutes=minutes), trigger)
    assert (found_late(sandbox.render, api, found, [found], "") == operation) is is_found


def late(at: datetime, trigger: str) -> Deploy:
    return Deploy.parse({"id": "dep-late", "trigger": trigger, "createdAt": at.isoformat(), "commit": {"id": "c" * 40}})


def test_a_setting_whose_write_is_cut_is_written_again(sandbox: Harness, api: Service, act: Act) -> None:
    sandbox.control("fault", match="PATCH", kind="cut", times=2)

    assert act("deployments.maintenance", state="on").status == "succeeded"
    assert Service.objects.get(pk=api.pk).maintenance


def test_a_key_that_is_refused_for_a_moment_ends_no_watch(sandbox: Harness, api: Service, act: Act) -> None:
    sandbox.control("fault", match="GET .*/deploys/dep-", kind="401", times=5)

    assert act("deployments.deploy").status == "succeeded"


def test_a_key_that_stays_refused_says_that_the_deploy_goes_on(sandbox: Harness, api: Service, act: Act) -> None:
    sandbox.control("fault", match="GET .*/deploys/dep-", kind="401", times=99)

    operation = act("deployments.deploy")

    assert operation.status == "failed"
    assert "goes on at Render" in operation.error
