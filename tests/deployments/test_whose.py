"""Somebody deploys by API in the seconds in which our own answer is lost: whose a deploy is rests on Render's word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from deployments.models import Service
from deployments.render import at_most_once, intent, listed
from deployments.render.sync import poll
from operations.models import Operation
from providers.http.errors import UnknownOutcome
from providers.render.deploys import Deploys
from sandbox.render import lifecycle
from sandbox.render.api.services import TEAM
from tests.render_sandbox import Harness

pytestmark = pytest.mark.django_db
Act = Callable[..., Operation]
CI, US = "ci@sampelit.example", TEAM["email"]


@pytest.fixture
def lose(sandbox: Harness, api: Service, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """The answer to our request is lost; so many deploys were made by then, each by somebody (nobody: "")."""
    monkeypatch.setattr(at_most_once, "LONG_LOOKS", 6)

    def lose(*users: str) -> None:
        def create(*_: Any, **__: Any) -> None:
            for user in users:
                start(sandbox, api, user)
            raise UnknownOutcome("Render's answer was lost.")

        monkeypatch.setattr(Deploys, "create", create)

    return lose


def start(sandbox: Harness, api: Service, user: str) -> None:
    world = sandbox.sandbox.world
    commit = world.commits[world.services[api.render_id]["branch"]][-1]
    deploy = lifecycle.start(world, api.render_id, trigger="api", commit=commit, user=user)
    deploy["createdAt"] = timezone.now().isoformat()


def who(api: Service) -> dict[str, tuple[str, str]]:
    """By deploy: who, and how that is known; of those that are not of the seeded history."""
    poll()
    rows = api.deployments.order_by("-created_at")[:2]
    return {row.render_id: (row.who, row.actor_source) for row in rows}


def test_what_somebody_else_started_is_theirs_and_ours_failed(
    sandbox: Harness, api: Service, act: Act, lose: Callable[..., None]
) -> None:
    lose(CI)

    operation = act("deployments.deploy")

    assert (operation.status, "was not started" in operation.error) == ("failed", True)
    assert who(api)[sandbox.deploys()[-1]["id"]] == (CI, "event")


def test_of_two_the_one_that_render_names_nobody_else_for_is_ours(
    sandbox: Harness, api: Service, act: Act, lose: Callable[..., None]
) -> None:
    lose("", CI)

    assert act("deployments.deploy").status == "failed"  # superseded by the newer one before it was live

    ours, theirs = (deploy["id"] for deploy in sandbox.deploys()[-2:])
    assert who(api) == {ours: ("operator", "operation"), theirs: (CI, "event")}


def test_the_one_that_render_names_us_for_is_ours(
    sandbox: Harness, api: Service, act: Act, lose: Callable[..., None]
) -> None:
    lose("", US.upper())

    act("deployments.deploy")

    assert who(api)[sandbox.deploys()[-1]["id"]] == ("operator", "operation")


@pytest.mark.parametrize("named", ["", US, "usr-1"])
def test_where_two_fit_none_is_taken_then_or_later(
    sandbox: Harness, api: Service, act: Act, lose: Callable[..., None], named: str
) -> None:
    lose(named, named)

    operation = act("deployments.deploy")

    pair = [deploy["id"] for deploy in sandbox.deploys()[-2:]]
    assert operation.status == "failed"
    assert all(one in operation.error for one in pair)
    assert "Render does not say which is ours" in operation.error
    assert not api.deployments.filter(operation=operation).exists()
    assert [how for _, how in who(api).values()] == ["event" if named else "outside"] * 2
    assert not api.deployments.filter(operation=operation).exists()


def test_what_render_names_somebody_for_only_later_is_given_back(
    sandbox: Harness, api: Service, act: Act, lose: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    lose(CI)

    def started_by(*arguments: Any) -> dict[str, str]:
        return listed.started_by(*arguments) if api.deployments.exclude(operation=None).exists() else {}

    monkeypatch.setattr(intent, "started_by", started_by)

    operation = act("deployments.deploy")

    assert operation.status == "failed"
    assert f"was started by {CI}" in operation.error
    assert who(api)[sandbox.deploys()[-1]["id"]] == (CI, "event")
