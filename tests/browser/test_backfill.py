"""A backfill in a browser, on a real table: how far it is, Pause and Resume through their forms, on a wide and a narrow
screen. OPS_TEST_PICTURES names a directory for what was seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from migrations_registry.backfill import steps
from migrations_registry.models import Application
from operations.engine.request import request
from operations.models import Environment, Operation, Status
from tests import sampling
from tests.browser.conftest import Site, Watched
from tests.browser.layout import misplaced
from tests.migrations_registry.applying import add, finish
from tests.migrations_registry.backfill.conftest import FILL, make_orders
from tests.running import run_once

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDTHS = (1400, 390)


@pytest.fixture
def walking(site: Site, sampelit_copy: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Operation:
    """Its first slice of two batches has ended."""
    for purpose in ("MIGRATION", "EXPORT"):
        monkeypatch.setenv(f"SAMPELIT_SHOP_{purpose}_DSN", sampelit_copy[purpose.lower()])
    monkeypatch.setattr(steps, "SLICE_SECONDS", 0)
    make_orders(sampelit_copy["admin"], 2000)
    shop = Environment.objects.create(slug="shop", name="Shop", kind="staging", votes_sensitive=0, votes_destructive=0)
    (file,) = add(("supabase/migrations/20260102000000_fill_cents.sql", FILL))
    by = site.world.everything
    stream = {"stream": "supabase", "as_not_applied": file.name}
    made = finish(request("migrations.baseline", by=by, environment=shop, parameters=stream))
    assert made.status == "succeeded", made.error
    operation = request("migrations.backfill", by=by, environment=shop, parameters={"file": file.sha256})
    assert run_once(operation).status == "running", operation.error
    return operation


def test_it_is_seen_paused_and_resumed(site: Site, signed_in: Callable[[User], Watched], walking: Operation) -> None:
    tab = signed_in(site.world.everything)
    page = tab.page
    application = reverse("admin:migrations_registry_application_change", args=[Application.objects.latest("pk").pk])
    operation = reverse("admin:operations_operation_change", args=[walking.pk])

    seen(tab, site.url + operation, "operation-running")
    expect(page.get_by_role("progressbar")).to_be_visible()
    with page.expect_navigation():
        page.get_by_role("link", name="pause", exact=True).click()
    look(tab, "running")
    assert page.url == site.url + application
    expect(page.get_by_text("of about 2,000")).to_be_visible()

    ask(page, "Pause…", tab)
    assert run_once(walking).status == Status.RUNNING
    seen(tab, site.url + operation, "operation-paused")
    expect(page.get_by_role("link", name="resume; paused by everything")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_text("keys/s")).to_have_count(0)
    seen(tab, site.url + application, "paused")
    expect(page.get_by_text("of about 2,000")).to_be_visible()
    expect(page.locator(".lede")).to_contain_text("by everything")

    ask(page, "Resume…", tab)
    while run_once(walking).status == Status.RUNNING:
        pass
    seen(tab, site.url + application, "ended")
    assert walking.status == "succeeded", walking.error
    expect(page.get_by_text("2,000 of about 2,000")).to_be_visible()
    expect(page.get_by_text("updated 2,000 rows of public.orders")).to_be_visible()
    expect(page.get_by_role("link", name="Pause…")).to_have_count(0)
    assert (tab.errors, tab.violations()) == ([], [])


def ask(page: Page, button: str, tab: Watched) -> None:
    """By the button and the form it leads to; a worker then does it."""
    with page.expect_navigation():
        page.get_by_role("link", name=button).click()
    look(tab, button.strip("…").lower())
    with page.expect_navigation():
        page.get_by_role("button", name="Confirm").click()
    look(tab, f"{button.strip('…').lower()}-asked")
    held = Operation.objects.filter(kind="migrations.pause").latest("requested_at")
    assert finish(held).status == "succeeded"


def seen(tab: Watched, url: str, name: str) -> None:
    tab.page.goto(url)
    look(tab, name)


def look(tab: Watched, name: str) -> None:
    for width in reversed(WIDTHS):
        tab.page.set_viewport_size({"width": width, "height": 900})
        assert misplaced(tab, width) == []
        if folder := sampling.given("PICTURES"):
            tab.page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
