"""The form of every kind, its preview and the page that confirms, at a desk and on a telephone, light and dark.

In: the table of `tests.factories_previews`. Out: nothing lies beside the screen, nothing bare, two different buttons;
PICTURES names a directory for what was seen. What only a walk can make is in `test_previews.WALKED`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from operations.engine import kinds
from tests.browser.conftest import Site, Watched
from tests.browser.layout import misplaced
from tests.factories_previews import ON_A_DATABASE, place_of, rows, values_of
from tests.sampelit_ops.test_named_things import bare_in
from tests.sampelit_ops.test_previews import KINDS, given, wrong_with

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PICTURES = os.environ.get("PICTURES", "")
BUTTON = "main form button[type=submit]"
VIEWS = ((1400, "light"), (1400, "dark"), (390, "light"), (390, "dark"))


@pytest.fixture(scope="module")
def seeded(site: Site) -> Site:
    rows(site.world.production)
    return site


@pytest.mark.sampled(6)
@pytest.mark.parametrize("name", KINDS)
def test_form_preview_confirm(
    name: str,
    seeded: Site,
    page: Watched,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    settings.SUPABASE_ACCESS_TOKEN = "a-token"
    if name in ON_A_DATABASE:
        given(request.getfixturevalue("sampelit_copy"), settings, monkeypatch)
    kind, tab = kinds.get(name), page.page
    environment = place_of(kind)
    values = values_of(kind, environment)
    page.errors.clear()
    tab.set_viewport_size({"width": 1400, "height": 900})
    tab.goto(f"{seeded.url}{reverse('admin:operations_request', args=[name])}?environment={environment.slug}")
    first = button(tab)
    problems = seen(page, f"{name}-form") + bare_in(tab.content())

    for field, value in values.items():
        fill(tab, field, value)
    tab.fill("[name=reason]", "It was agreed.")
    if first == "Preview":
        with tab.expect_navigation():
            tab.get_by_role("button", name="Preview", exact=True).click()
        expect(tab.locator(".messagelist")).to_contain_text("Nothing was requested yet")
    last = button(tab)

    assert (first in ("Preview", last), last.startswith("Confirm")) == (True, True), tab.locator("main").inner_text()
    problems += seen(page, f"{name}-confirm") + wrong_with(tab.content())
    places = [tab.locator(each).first.bounding_box() or {"y": -1} for each in (".consequences", BUTTON)]
    assert 0 < places[0]["y"] < places[1]["y"], "on a telephone what will happen stands before the button"
    assert problems + page.errors + page.violations() == []


def button(page: Page) -> str:
    return page.locator(BUTTON).first.inner_text()


def fill(page: Page, field: str, value: str) -> None:
    place = page.locator(f"[name={field}]")
    if place.evaluate("(element) => element.tagName") == "SELECT":
        place.select_option(value)
    else:
        place.fill(value)


def seen(page: Watched, name: str) -> list[str]:
    """What lies where it should not, in each view of the page as it stands."""
    problems: list[str] = []
    for width, scheme in VIEWS:
        page.page.set_viewport_size({"width": width, "height": 900})
        page.page.emulate_media(color_scheme=scheme)
        problems += [f"{scheme} {line}" for line in misplaced(page, width)]
        if PICTURES:
            Path(PICTURES).mkdir(parents=True, exist_ok=True)
            page.page.screenshot(path=f"{PICTURES}/{name}-{width}-{scheme}.png", full_page=True)
    return problems
