"""What the small scripts add, what works without them, and the way from a request to its vote by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from operations.models import Operation, Status, Task
from tests.browser.conftest import Site, Watched, session_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SignIn = Callable[[User], Watched]


def test_progress_refreshes_in_place_and_stops_at_the_end(site: Site, signed_in: SignIn) -> None:
    running = site.world.operations["running"]
    page = signed_in(site.world.everything).page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/live/" in request.url else None)
    page.clock.install()
    page.goto(site.url + reverse("admin:operations_operation_change", args=[running.pk]))
    Operation.objects.filter(pk=running.pk).update(progress={"done": 1_500_000, "total": 2_010_411, "unit": "rows"})

    page.clock.run_for(2100)
    expect(page.get_by_text("1,500,000 of 2,010,411")).to_be_visible()
    Operation.objects.advance(running.pk, Status.RUNNING, Status.SUCCEEDED, outcome="succeeded", lease_until=None)
    page.clock.run_for(2100)
    expect(page.locator("[data-terminal]")).to_be_attached()
    before = len(asked)
    page.clock.run_for(20_000)

    assert len(asked) == before


def test_live_parts_say_so_when_they_stop(site: Site, signed_in: SignIn) -> None:
    page = signed_in(site.world.everything).page
    page.clock.install()
    page.goto(site.url + reverse("admin:operations_operation_change", args=[site.world.operations["queued"].pk]))
    page.route("**/live/", lambda route: route.fulfill(status=500, body="broken"))

    for _ in range(5):
        with page.expect_request_finished(lambda request: "/live/" in request.url):
            page.clock.run_for(70_000)

    expect(page.get_by_text("Live updates stopped")).to_be_visible()


def test_shortcuts(site: Site, signed_in: SignIn) -> None:
    page = signed_in(site.world.everything).page
    page.goto(site.url + reverse("admin:index"))

    page.keyboard.press("/")
    expect(page.locator("#jump")).to_be_focused()
    page.keyboard.type("?")
    expect(page.locator("#shortcuts")).to_have_count(0)
    page.locator("#jump").blur()
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#shortcuts")).to_have_count(0)
    page.keyboard.press("g")
    page.keyboard.press("a")

    page.wait_for_url("**/operations/operation/approvals/")


def test_theme_is_kept(site: Site, signed_in: SignIn) -> None:
    page = signed_in(site.world.everything).page
    page.goto(site.url + reverse("admin:index"))

    page.locator(".theme-toggle").click()
    chosen = page.evaluate("document.documentElement.dataset.theme")
    page.reload()

    assert chosen == "dark"
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(14, 16, 19)"


def test_everything_is_there_without_scripts(browser: Browser, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    context.add_cookies(session_of(site, site.world.everything))
    page = context.new_page()

    page.goto(site.url + reverse("admin:operations_operation_changelist"))

    expect(page.locator("#nav-groups").get_by_text("Activity")).to_be_visible()
    page.locator("#changelist-filter summary").first.click()
    expect(page.locator("#changelist-filter").get_by_text("Failed", exact=True)).to_be_visible()
    page.locator("#nav-groups").get_by_text("Health").click()
    expect(page.locator("h1")).to_have_text("Doctor")
    context.close()


def test_menu_opens_on_a_telephone(site: Site, signed_in: SignIn) -> None:
    page = signed_in(site.world.everything).page
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(site.url + reverse("admin:index"))

    expect(page.locator("#nav-groups")).to_be_hidden()
    page.locator("#menu-button").click()

    expect(page.locator("#nav-groups")).to_be_visible()
    expect(page.locator("#menu-button")).to_have_attribute("aria-expanded", "true")


def test_request_and_vote_by_keyboard_alone(site: Site, signed_in: SignIn) -> None:
    asking = signed_in(site.world.everything).page
    asking.goto(site.url + reverse("admin:operations_request", args=["rehearsal.sensitive"]))
    for field, typed in (
        ("[name=environment]", "production"),
        ("[name=key]", "by keyboard"),
        ("[name=reason]", "why not"),
    ):
        tab_to(asking, field)
        asking.keyboard.type(typed)
    tab_to(asking, "main button[type=submit]")
    asking.keyboard.press("Enter")
    asking.wait_for_url("**key=by+keyboard**")
    expect(asking.locator(".consequences")).to_be_visible()
    tab_to(asking, "main button[type=submit]")
    asking.keyboard.press("Enter")
    asking.wait_for_url("**/change/")
    asked = Operation.objects.get(parameters__key="by keyboard")
    assert asked.status == Status.AWAITING_APPROVAL

    voting = signed_in(User.objects.get(username="approver")).page
    voting.goto(site.url + reverse("admin:approvals"))
    tab_to(voting, f"a[href*='{asked.pk}']")
    voting.keyboard.press("Enter")
    voting.wait_for_url("**/change/")
    tab_to(voting, "#verb-approve")
    voting.keyboard.press("Enter")
    expect(voting.locator("#verb-approve")).to_have_count(0)

    asked.refresh_from_db()
    assert asked.status == Status.QUEUED


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the first match has the focus; a person would not press it a hundred times."""
    for _ in range(100):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement === document.querySelector(selector)", selector):
            return
    pytest.fail(f"{selector} cannot be reached with Tab")


def test_times_are_shown_in_the_zone_that_was_chosen_and_absolute_on_tap(site: Site, signed_in: SignIn) -> None:
    page = signed_in(site.world.everything).page
    page.goto(site.url + reverse("admin:operations_operation_changelist"))

    page.get_by_label("show them in").focus()
    page.get_by_label("show them in").select_option("Asia/Tokyo")
    expect(page.locator("#footer [data-zone-name]")).to_have_text("Asia/Tokyo")
    time = page.locator("#result_list time").first
    words = time.inner_text()
    time.click()

    moment = datetime.fromisoformat(time.get_attribute("datetime") or "").astimezone(ZoneInfo("Asia/Tokyo"))
    assert time.inner_text().startswith(f"{moment:%Y-%m-%d %H:%M:%S}")
    time.click()
    assert time.inner_text() == words


def test_search_is_reached_walked_and_opened_by_keyboard(site: Site, signed_in: SignIn) -> None:
    page = signed_in(site.world.everything).page
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(site.url + reverse("admin:operations_operation_changelist"))

    page.keyboard.press("Control+k")
    page.keyboard.type("restart sampelit-api")
    page.keyboard.press("Enter")
    page.wait_for_url("**/jump/**")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    page.wait_for_url("**/request/deployments.restart/**")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_long_list_on_a_telephone_shows_ten_rows_and_the_rest_on_a_tap(site: Site, signed_in: SignIn) -> None:
    for number in range(20):
        Task.objects.create(kind="review_break_glass", title=f"task {number}", dedupe_key=f"fold {number}")
    page = signed_in(site.world.everything).page
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(site.url + reverse("admin:operations_task_changelist"))

    rows = page.locator("#result_list tbody tr:visible")
    expect(rows).to_have_count(10)
    page.get_by_role("button", name="Show ").click()

    expect(rows.nth(19)).to_be_visible()
