"""One Chromium a session, one live server and one seeded world a module.

Out: `site` (server and world), `page` (signed in, collecting console errors and CSP violations), `signed_in(role)`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer
from pytest_django.plugin import DjangoDbBlocker

from tests import factories, skips

LISTEN = """
window.__violations = [];
document.addEventListener("securitypolicyviolation", (e) => {
  window.__violations.push(`${e.violatedDirective} ${e.blockedURI} ${e.sourceFile || ""}:${e.lineNumber}`);
});
"""


@pytest.fixture
def _django_db_helper() -> None:
    """Instead of pytest-django's transaction or flush a test: rows here are committed once and live for a module."""


@dataclass
class Site:
    url: str
    world: factories.World


@dataclass
class Watched:
    """A page and what went wrong on it so far."""

    page: Page
    errors: list[str] = field(default_factory=list)

    def violations(self) -> list[str]:
        """CSP violations of the page as it stands."""
        return self.page.evaluate("window.__violations || []")


@pytest.fixture(scope="session")
def browser(django_db_setup: None) -> Iterator[Browser]:  # the database first: playwright changes the context
    executable = skips.chromium()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # playwright's sync API keeps a loop running in this thread
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def site(browser: Browser, django_db_blocker: DjangoDbBlocker) -> Iterator[Site]:
    """A server over committed rows, which the end of the module removes."""
    with django_db_blocker.unblock():
        world = factories.world()
        kept, connections.settings["default"]["CONN_MAX_AGE"] = connections.settings["default"]["CONN_MAX_AGE"], 0
        server = LiveServer("127.0.0.1")
        yield Site(server.url, world)
        server.stop()
        connections.settings["default"]["CONN_MAX_AGE"] = kept
        call_command("flush", interactive=False, verbosity=0, allow_cascade=False)
        connections.close_all()  # this context (playwright runs a loop) has connections of its own


@pytest.fixture(scope="module")
def context(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    """Signed in as somebody who may do everything."""
    with_session = _context(browser, site, site.world.everything)
    yield with_session
    with_session.close()


@pytest.fixture(scope="module")
def page(context: BrowserContext) -> Watched:
    """One tab for the whole module."""
    return watch(context.new_page())


@pytest.fixture
def signed_in(browser: Browser, site: Site) -> Iterator[Callable[[User], Watched]]:
    """A function: a fresh tab signed in as this person."""
    opened: list[BrowserContext] = []

    def open_tab(person: User) -> Watched:
        opened.append(_context(browser, site, person))
        return watch(opened[-1].new_page())

    yield open_tab
    for one in opened:
        one.close()


def watch(page: Page) -> Watched:
    """Collect what the console and the page complain about."""
    watched = Watched(page)
    page.on(
        "console", lambda message: watched.errors.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: watched.errors.append(str(error)))
    return watched


def session_of(site: Site, person: User) -> list[dict[str, str]]:
    """The cookie of a fresh session of this person."""
    client = Client()
    client.force_login(person)
    name = settings.SESSION_COOKIE_NAME
    return [{"name": name, "value": client.cookies[name].value, "url": site.url}]


def _context(browser: Browser, site: Site, person: User) -> BrowserContext:
    made = browser.new_context(viewport={"width": 1400, "height": 900}, reduced_motion="reduce")
    made.add_init_script(LISTEN)
    made.add_cookies(session_of(site, person))
    return made
