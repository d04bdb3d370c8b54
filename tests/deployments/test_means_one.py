"""What names something here means exactly one thing, or is refused; and what is refused at the request is refused when
it begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from deployments.kinds.base import ServiceKind, deployment_of, find_service, service_of
from deployments.models import Deployment, Service, VariableGroup
from deployments.variables import fingerprints
from operations.engine import kinds
from operations.engine.request import request
from operations.models import Environment
from providers.errors import Refused
from tests.deployments.conftest import finish

pytestmark = pytest.mark.django_db
VERBS = sorted(name for name, kind in kinds.registry.kinds.items() if isinstance(kind, ServiceKind))


def other(api: Service, **values: Any) -> Service:
    row = {"render_id": "srv-other", "name": "other", "type": "web_service", "environment": api.environment}
    return Service.objects.create(**row | values)


def find_here(api: Service, named: str) -> Service:
    return find_service(Environment.objects.get(pk=api.environment_id), named)


def find_anywhere(api: Service, named: str) -> Service:
    return service_of(named)


@pytest.mark.parametrize("find", [find_here, find_anywhere])
def test_a_name_that_two_have_is_none(api: Service, find: Callable[[Service, str], Service]) -> None:
    other(api, name=api.name)

    with pytest.raises(Refused, match="say which by its id: srv-"):
        find(api, api.name)
    assert find(api, api.render_id) == api


@pytest.mark.parametrize("find", [find_here, find_anywhere])
def test_whoever_is_called_like_an_id_is_not_it(api: Service, find: Callable[[Service, str], Service]) -> None:
    """An act that was voted for one service does not fall on another, once that is gone."""
    other(api, name=api.render_id)
    assert find(api, api.render_id) == api
    Service.objects.filter(pk=api.pk).update(removed_at=timezone.now())

    with pytest.raises(Refused, match="no service"):
        find(api, api.render_id)


def test_what_moved_to_another_environment_is_not_found_by_whoever_has_its_id_for_a_name(api: Service) -> None:
    place = api.environment
    other(api, name=api.render_id)
    Service.objects.filter(pk=api.pk).update(environment=Environment.objects.exclude(pk=api.environment_id).first())

    with pytest.raises(Refused, match="has no service"):
        find_service(place, api.render_id)  # type: ignore[arg-type]


@pytest.mark.parametrize("second", ["abcdef1" + "0" * 33, "abcdef1" + "1" * 33])
def test_the_beginning_of_two_commits_is_no_deployment(api: Service, second: str) -> None:
    for number, commit in enumerate(["abcdef1" + "0" * 33, second]):
        row = {"render_id": f"dep-twin-{number}", "status": "deactivated", "created_at": timezone.now()}
        Deployment.objects.create(service=api, commit_sha=commit, **row)

    if second.endswith("0"):
        assert deployment_of(api, "abcdef1").render_id == "dep-twin-1"
    else:
        with pytest.raises(Refused, match="all begin with abcdef1"):
            deployment_of(api, "abcdef1")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["deployments.restart", "deployments.maintenance", "deployments.suspend"])
def test_what_turns_out_to_run_the_portal_while_it_waits_is_not_acted_on(
    sandbox: Any, api: Service, operator: User, kind: str
) -> None:
    Environment.objects.update(votes_routine=0, votes_sensitive=0, votes_destructive=0)
    given = {"service": api.render_id} | ({"state": "on", "minutes": "5"} if kind.endswith("maintenance") else {})
    place = Environment.objects.get(pk=api.environment_id)
    operation = request(kind, by=operator, environment=place, parameters=given, reason="test")
    Service.objects.filter(pk=api.pk).update(is_self=True)

    done = finish(operation)

    assert done.status == "expired"
    assert "runs this portal" in done.error
    seen = sandbox.render.services.get(api.render_id)
    assert (seen.suspended, seen.maintenance.enabled) == (False, False)


def test_every_verb_asks_that_again_when_it_begins(api: Service) -> None:
    Service.objects.filter(pk=api.pk).update(is_self=True)
    place = Environment.objects.get(pk=api.environment_id)
    for kind in [*VERBS, "deployments.link_group", "deployments.unlink_group"]:
        with pytest.raises(Refused, match="runs this portal"):
            for check in kinds.registry.guards[kind]:
                check(place, {"service": api.render_id, "group": "evg-none"})


@pytest.mark.parametrize("verb", ["set", "delete"])
def test_so_does_every_verb_on_a_group_that_it_has(api: Service, verb: str) -> None:
    group = VariableGroup.objects.create(render_id="evg-1", name="shared")
    group.services.add(api)
    Service.objects.filter(pk=api.pk).update(is_self=True)
    (check,) = kinds.registry.guards[f"deployments.{verb}_group_variable"]

    check(None, {"group": "evg-2"})
    with pytest.raises(Refused, match="runs this portal"):
        check(None, {"group": "evg-1"})


def test_a_group_with_a_secret_of_the_portal_is_linked_to_nobody(
    api: Service, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACTOR_KEY", "a secret of the portal")
    group = VariableGroup.objects.create(render_id="evg-1", name="shared")
    group.variables.create(
        kind="variable", key="HARMLESS", fingerprint=fingerprints.fingerprint("a secret of the portal")
    )
    place = Environment.objects.get(pk=api.environment_id)

    with pytest.raises(Refused, match="secrets of this portal \\(HARMLESS\\)"):
        request(
            "deployments.link_group",
            by=operator,
            environment=place,
            parameters={"group": "evg-1", "service": api.render_id},
            reason="test",
        )
