"""The first minutes of a person: the sign-in page and a dead link by axe, then password and code by keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Browser

from operations.factors import devices
from tests.browser.conftest import LISTEN, Site, Watched, watch
from tests.sampelit_ops.signin.codes import PASSWORD, code_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
PAGES = ("/admin/login/?next=/admin/", "/admin/account/welcome/MQ/abc-def/")


@pytest.fixture
def stranger(browser: Browser, site: Site) -> Iterator[Watched]:
    """A tab that nobody is signed in to."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, reduced_motion="reduce")
    context.add_init_script(LISTEN)
    yield watch(context.new_page())
    context.close()


@pytest.mark.sampled(2, by="width")
@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 390])
def test_pages_of_strangers(stranger: Watched, site: Site, path: str, theme: str, width: int) -> None:
    stranger.page.emulate_media(color_scheme=theme)
    stranger.page.set_viewport_size({"width": width, "height": 900})

    stranger.page.goto(site.url + path, wait_until="load")

    violations = Axe().run(stranger.page, options=RULES).response["violations"]
    assert not violations, [
        (violation["id"], [node["html"] for node in violation["nodes"]]) for violation in violations
    ]
    assert not stranger.violations()
    assert not stranger.errors
    assert stranger.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_password_and_code_by_keyboard(stranger: Watched, site: Site) -> None:
    olga = User.objects.create_user("olga", "olga@example.com", PASSWORD, is_staff=True)
    device = devices.enrol(olga, "app")
    page = stranger.page
    page.goto(site.url + "/admin/login/?next=/admin/account/tokens/")

    page.keyboard.type("olga")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    page.keyboard.type(code_of(device))
    page.keyboard.press("Enter")

    page.wait_for_url(site.url + "/admin/account/tokens/")
    assert page.title().startswith("Personal tokens")
