"""The portal does not act on itself: every verb, on every service that holds a secret of its own."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from deployments.kinds.base import ServiceKind
from deployments.models import Service, VariableGroup
from deployments.variables import portal
from ledger.models import Entry
from operations.engine import kinds
from operations.engine.request import request
from providers.errors import Refused
from tests.render_sandbox import Harness
from tests.ticking import run_job

VERBS = sorted(name for name, kind in kinds.registry.kinds.items() if isinstance(kind, ServiceKind))


@pytest.mark.parametrize("kind", VERBS)
def test_the_portal_does_not_act_on_itself(api: Service, kind: str) -> None:
    Service.objects.filter(pk=api.pk).update(is_self=True)
    anybody = User.objects.create_superuser("root")
    given = {parameter.name: "x" for parameter in kinds.get(kind).parameters} | {"service": api.name}

    with pytest.raises(Refused, match="runs this portal"):
        request(kind, by=anybody, environment=api.environment, parameters=given)


def test_there_are_verbs_to_refuse() -> None:
    assert len(VERBS) > 12


@pytest.mark.parametrize("name", portal.OWN)
@pytest.mark.parametrize("by_group", [False, True])
def test_whoever_holds_a_secret_of_the_portal_runs_it(
    sandbox: Harness, api: Service, monkeypatch: pytest.MonkeyPatch, name: str, by_group: bool
) -> None:
    monkeypatch.setenv(name, "a secret of the portal")
    if by_group:
        group = next(each for each in sandbox.render.env_groups.list() if each.name == "sampelit-production")
        sandbox.render.env_groups.set(group.id, "HARMLESS_NAME", "a secret of the portal")
    else:
        sandbox.render.env_vars.set(api.render_id, "HARMLESS_NAME", "a secret of the portal")

    run_job("deployments.variables")
    run_job("deployments.variables")

    marked = set(Service.objects.filter(is_self=True).values_list("name", flat=True))
    linked = set(VariableGroup.objects.get(name="sampelit-production").services.values_list("name", flat=True))
    assert marked == (linked if by_group else {api.name})
    assert Entry.objects.filter(code="deployments.runs_portal").count() == len(marked)


def test_of_two_who_notice_at_once_one_says_it(api: Service) -> None:
    """The second read its services before the first had marked them."""
    marked = [portal._mark(Service.objects.get(pk=api.pk)) for _ in "ab"]

    assert marked == [True, False]
    assert Entry.objects.filter(code="deployments.runs_portal").count() == 1
