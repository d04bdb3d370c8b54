"""From an alert's link to a rollback that has ended: three clicks, one person, a telephone, and every exporter busy."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import stamina
from django.contrib.auth.models import Group, User
from playwright.sync_api import expect

from deployments.health import probing
from deployments.models import Service
from deployments.render.sync import poll
from operations.engine.claim import claim
from operations.engine.request import request
from operations.engine.run import run_operation
from operations.models import Environment, Operation
from tests import factories
from tests.browser.conftest import Site, Watched
from tests.render_sandbox import running

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
QUICK = {"build_in_progress": 0.0, "pre_deploy_in_progress": 0.0, "update_in_progress": 0.0}


def busy(site: Site, workers: int) -> list[Operation]:
    """Exports that hold every ordinary worker."""
    held = []
    for number in range(workers):
        asked = request(
            "rehearsal.routine",
            by=site.world.everything,
            environment=site.world.production,
            parameters={"key": f"export {number}"},
            reason="keeps a worker busy",
        )
        assert claim(asked.pk, f"worker/export/{number}") is not None
        held.append(asked)
    return held


def test_three_clicks_on_a_telephone_while_every_worker_is_busy(
    site: Site, signed_in: Callable[[User], Watched], settings
) -> None:
    olga = factories.person("olga", is_superuser=False)
    olga.groups.set(Group.objects.filter(name="Operator"))
    with stamina.set_testing(True, attempts=2), running(phases=QUICK) as sandbox:
        settings.RENDER_API_KEY, settings.RENDER_API_BASE = sandbox.sandbox.api_key, sandbox.sandbox.base
        settings.DEPLOY_WATCH_SECONDS, settings.HEALTH_GOOD_PROBES = 0.01, 2
        poll()
        service = Service.objects.get(render_id=sandbox.service())
        Environment.objects.filter(pk=service.environment_id).update(protected=True)
        held = busy(site, settings.OPS_WORKERS)
        page = signed_in(olga).page
        page.set_viewport_size({"width": 390, "height": 844})

        page.goto(site.url + probing.link(service))  # 1: the link in the alert
        page.get_by_role("link", name="Roll back to").first.click()  # 2
        page.get_by_role("button", name="Confirm").click()  # 3
        page.wait_for_url("**/change/")
        asked = Operation.objects.get(kind="deployments.rollback")
        ended = run_operation(asked.pk, "worker/urgent/1", frozenset({"urgent"}), end_process=lambda: None)
        page.reload()

        assert ended == "succeeded"
        assert asked.requested_by == olga
        expect(page.locator("main")).to_contain_text("Succeeded", ignore_case=True)
        assert {Operation.objects.get(pk=operation.pk).status for operation in held} == {"running"}
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
