"""Parity where production has several services of one name, or none to compare with; blueprints of each workspace."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache

from deployments.models import ConfigFingerprint, Service
from deployments.variables import parity
from deployments.web import parity_page, remote
from operations.models import Environment
from providers.http.errors import PlanTooLow
from tests.render_sandbox import Harness

pytestmark = pytest.mark.django_db


def service(name: str, kind: str, type: str = "web_service", owner: str = "tea-1", **variables: str) -> Service:
    place, _ = Environment.objects.get_or_create(slug=kind, defaults={"name": kind, "kind": kind})
    number = Service.objects.count()
    row = Service.objects.create(render_id=f"srv-{number}", name=name, type=type, owner_id=owner, environment=place)
    for key in {*parity.REQUIRED} - variables.keys() if type == "web_service" else set():
        ConfigFingerprint.objects.create(service=row, key=key, fingerprint=f"{key} of {number}")
    for key, value in variables.items():
        ConfigFingerprint.objects.create(service=row, key=key, fingerprint=value)
    return row


@pytest.mark.parametrize("shared", [0, 1])
def test_a_secret_shared_with_either_of_two_is_found(shared: int) -> None:
    """Two workspaces have a service of that name."""
    for number in range(2):
        service("api", "production", owner=f"tea-{number}", JWT_SECRET=f"secret {number}")
    staging = service("api-staging", "staging", JWT_SECRET=f"secret {shared}")

    found = {(row.name, line.key) for row, line in parity.violations() if line.key == "JWT_SECRET"}
    page = parity_page.part(staging, list(Service.objects.filter(environment__kind="production")))

    assert found == {("api-staging", "JWT_SECRET")}
    assert "JWT_SECRET" in {line.key for line in page["findings"] if line.tone == "bad"}


@pytest.mark.parametrize(("key", "violates"), [("SUPABASE_SERVICE_KEY", True), ("VITE_TITLE", False)])
def test_what_visitors_could_read_is_found_without_a_service_to_compare_with(key: str, violates: bool) -> None:
    site = service("site-staging", "staging", "static_site", **{key: "x"})

    assert bool(parity.violations()) is violates
    page = parity_page.part(site, [])
    assert ("1 violation" in page["verdict"], "passed" in page["verdict"]) == (violates, False)


def test_each_workspaces_blueprints_are_shown_and_one_that_refuses_hides_no_other(
    sandbox: Harness, api: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    remote._fetches.clear()
    other = SimpleNamespace(owner_id="tea-other")

    def listed(owner: str) -> list[Any]:
        if owner == "tea-other":
            raise PlanTooLow("no plan")
        return [SimpleNamespace(name=f"of {owner}")]

    fake = SimpleNamespace(blueprints=SimpleNamespace(list=listed))
    monkeypatch.setattr("deployments.render.client._client", lambda *_: fake)

    shown = parity_page.blueprints([api, other])  # type: ignore[list-item]

    assert [one.name for one in shown["blueprints"]] == [f"of {api.owner_id}"]
    assert ["no plan" in line for line in shown["missing"]] == [True]
