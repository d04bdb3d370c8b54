"""Home with three groups of eight services and long names still reads: no overflow, within few screens."""

from __future__ import annotations

import pytest
from django.urls import reverse

from deployments.models import Service
from operations.models import Environment
from sandbox.render.seed import LARGE_TEAM
from tests.browser.conftest import Site, Watched

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MOST_SCREENS = {1400: 3, 1024: 4, 768: 5, 390: 8}


def test_home_of_a_large_team(site: Site, page: Watched) -> None:
    places = [site.world.production, Environment.objects.get(slug="staging"), Environment.objects.get(slug="pr-41")]
    for place in places:
        for name in (*LARGE_TEAM, "api", "web"):
            label = f"sampelit-{name}-{place.slug}"
            Service.objects.get_or_create(
                name=label, defaults={"render_id": f"srv-{label}", "environment": place, "type": "static_site"}
            )

    for width, most in MOST_SCREENS.items():
        page.page.set_viewport_size({"width": width, "height": 900})
        page.page.goto(site.url + reverse("admin:index"), wait_until="load")
        rows = page.page.locator("table.services tbody tr:not(.place)")
        tall = page.page.evaluate("document.documentElement.scrollHeight")

        assert rows.count() >= 24
        assert page.page.evaluate("document.documentElement.scrollWidth") <= width
        assert tall <= most * 900, f"{width}: {tall} px"
        top = page.page.locator("table.services").evaluate("(table) => table.getBoundingClientRect().top")
        assert top < 900 * (1 if width > 640 else 2), "the services begin early"


def test_an_environment_of_ten_services_is_one_line_each(site: Site, page: Watched) -> None:
    """What is behind a line opens by keyboard."""
    for name in (*LARGE_TEAM, "api", "web"):
        label = f"sampelit-{name}-{site.world.production.slug}"
        Service.objects.get_or_create(
            name=label,
            defaults={"render_id": f"srv-{label}", "environment": site.world.production, "type": "static_site"},
        )
    address = site.url + reverse("admin:deployments_environment", args=["production"])

    for width, most in {1400: 640, 768: 760, 390: 1200}.items():
        page.page.set_viewport_size({"width": width, "height": 900})
        page.page.goto(address, wait_until="load")
        shut = page.page.locator("details.service:not([open])")
        tall = page.page.locator("section[aria-labelledby=services-title]").evaluate("(e) => e.offsetHeight")

        assert shut.count() >= 8
        assert page.page.evaluate("document.documentElement.scrollWidth") <= width
        assert tall <= most, f"{width}: {tall} px"

    first = shut.first
    first.locator("> summary").press("Enter")
    page.page.wait_for_selector("details.service[open] .actions-row")
