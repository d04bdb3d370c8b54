"""Passkeys in a real Chromium with a virtual authenticator: enrolled, shown at sign-in and for a grave act."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Browser, CDPSession, Page, expect

from ledger.models import Entry
from operations.factors import devices
from operations.factors.enrolments import ADDED
from operations.models import Approval, Operation, Passkey, StepUp
from tests.browser.conftest import LISTEN, Site, Watched, watch
from tests.browser.test_sign_in import RULES
from tests.passkeys import DAY, age, judged
from tests.people import vouch_for
from tests.sampelit_ops.signin.codes import PASSWORD, code_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FACTORS = "/admin/account/second-factor/"


@dataclass
class Desk:
    """One person's browser with an authenticator in it."""

    page: Page
    url: str
    person: User
    cdp: CDPSession
    authenticator: str
    watched: Watched

    def tell(self, **verified: bool) -> None:
        """Whether the authenticator recognises its user from now on."""
        self.cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self.authenticator, **verified})

    def sign_in(self, code: str = "") -> None:
        self.page.goto(f"{self.url}/admin/login/?next={FACTORS}")
        self.page.fill("#id_username", self.person.username)
        self.page.fill("#id_password", PASSWORD)
        self.page.fill("#id_otp_token", code)
        self.press("Sign in")

    def press(self, button: str) -> None:
        """Returns on the next page: what is looked at earlier is the page before, or none."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=button).click()

    def sign_out(self) -> None:
        self.page.goto("about:blank")
        self.page.context.clear_cookies()

    def enrol(self) -> None:
        """With a code to sign in, and the next one for the new factor."""
        device = devices.enrol(self.person)
        self.sign_in(code_of(device))
        self.page.get_by_label("Name", exact=True).fill("laptop")
        self.page.get_by_role("button", name="Add a passkey").click()
        self.page.get_by_label("Code").fill(code_of(device, 1))
        self.page.get_by_role("button", name="Confirm").click()
        expect(self.page.get_by_text("The passkey laptop is enrolled.")).to_be_visible()

    def show(self) -> None:
        self.page.get_by_role("button", name="Use a passkey").click()


@pytest.fixture
def desk(browser: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """At localhost: a passkey belongs to a name, not to an address."""
    kept = settings.PASSKEY_ORIGIN, settings.PASSKEY_RP_ID
    url = site.url.replace("127.0.0.1", "localhost")
    settings.PASSKEY_ORIGIN, settings.PASSKEY_RP_ID = url, "localhost"
    name = f"p{Passkey.objects.count()}{User.objects.count()}"
    rights: dict[str, Any] = {"is_staff": True, "is_superuser": True}
    person = vouch_for(User.objects.create_user(name, f"{name}@example.com", PASSWORD, **rights))
    context = browser.new_context(viewport={"width": 1400, "height": 900}, reduced_motion="reduce")
    context.add_init_script(LISTEN)
    page = context.new_page()
    watched = watch(page)
    cdp = context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    shape = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    made = {**shape, "isUserVerified": True, "automaticPresenceSimulation": True}
    added = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": made})
    yield Desk(page, url, person, cdp, added["authenticatorId"], watched)
    context.close()
    settings.PASSKEY_ORIGIN, settings.PASSKEY_RP_ID = kept


def test_enrolled_then_shown_at_sign_in(desk: Desk) -> None:
    desk.enrol()
    desk.sign_out()

    desk.sign_in()
    assert "sign-in" not in desk.page.url
    desk.show()

    desk.page.wait_for_url(desk.url + FACTORS)
    expect(desk.page.get_by_label("Name of laptop")).to_have_value("laptop")
    row = Passkey.objects.get(user=desk.person)
    assert row.last_used_at is not None
    assert row.sign_count > 0
    assert not desk.watched.violations()


def test_a_vote_carries_what_it_signed(desk: Desk, site: Site) -> None:
    desk.enrol()
    name = desk.person.username
    age(Entry.objects.get(code=ADDED, actor=name), DAY)
    waiting = site.world.operations["half approved"]
    desk.page.goto(desk.url + reverse("admin:operations_act", args=[waiting.pk, "approve"]))
    desk.page.locator("#typed").fill(desk.page.locator("label[for=typed] code").inner_text())
    desk.press("Approve")
    assert not Approval.objects.filter(approved_by=desk.person).exists()
    expect(desk.page.get_by_label("Code")).to_have_count(0)

    desk.show()

    desk.page.wait_for_url(desk.url + reverse("admin:operations_operation_change", args=[waiting.pk]))
    assert Approval.objects.get(approved_by=desk.person).content_sha256 == waiting.content_sha256
    shown = StepUp.objects.filter(person=desk.person, act="operations.approve").get()
    assert (shown.method, shown.spent_at is not None) == ("passkey laptop", True)
    assert judged(waiting, name) == ""
    assert judged(waiting, name, nonce="00" * 32).endswith("is said to have signed does not hold.")
    assert not desk.watched.violations()


def test_without_its_user_verified_nothing_happens(desk: Desk) -> None:
    desk.enrol()
    desk.sign_out()
    desk.sign_in()
    desk.tell(isUserVerified=False)

    desk.show()

    expect(desk.page.get_by_text("No passkey was used")).to_be_visible()
    assert Passkey.objects.get(user=desk.person).last_used_at is None
    assert "_auth_user_id" not in desk.page.content()


def test_at_another_origin_the_portal_refuses_it(desk: Desk) -> None:
    desk.enrol()
    desk.sign_out()
    settings.PASSKEY_ORIGIN = "https://ops.example.com"
    desk.sign_in()

    desk.show()

    expect(desk.page.get_by_text("did not fit what was asked")).to_be_visible()
    desk.page.goto(desk.url + FACTORS)
    assert "/admin/login/" in desk.page.url


def test_another_name_is_refused_by_the_browser(desk: Desk) -> None:
    desk.enrol()
    desk.sign_out()
    settings.PASSKEY_RP_ID = "ops.example.com"
    desk.sign_in()

    desk.show()

    # Chromium first asks the other name whether it knows ours (its .well-known/webauthn), however long that takes.
    expect(desk.page.get_by_text("No passkey was used (SecurityError)")).to_be_visible(timeout=60_000)


def test_an_answer_that_is_sent_again_is_refused(desk: Desk) -> None:
    desk.enrol()
    desk.sign_out()
    desk.sign_in()
    sent: list[str] = []
    desk.page.on("request", lambda request: sent.append(request.post_data or "") if request.method == "POST" else None)
    desk.show()
    desk.page.wait_for_url(desk.url + FACTORS)
    desk.sign_out()
    desk.sign_in()
    token = desk.page.locator("#passkey-form [name=csrfmiddlewaretoken]").input_value()

    replay = "&".join([f"csrfmiddlewaretoken={token}", *(part for part in sent[0].split("&") if "csrf" not in part)])
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Referer": desk.url}
    answer = desk.page.request.post(f"{desk.url}/admin/account/sign-in/passkey/", data=replay, headers=headers)

    assert "answered before" in answer.text()
    desk.page.goto(desk.url + FACTORS)
    assert "/admin/login/" in desk.page.url


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 390])
def test_its_pages_can_be_read_by_everybody(desk: Desk, site: Site, theme: str, width: int) -> None:
    desk.enrol()
    waiting = Operation.objects.filter(status="awaiting_approval", risk="destructive").first()
    assert waiting is not None
    desk.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    desk.page.set_viewport_size({"width": width, "height": 900})

    def looked_at(arrive: Callable[[], Any]) -> None:
        arrive()
        violations = Axe().run(desk.page, options=RULES).response["violations"]
        assert not violations, [(each["id"], [node["html"] for node in each["nodes"]]) for each in violations]
        assert desk.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert not desk.watched.violations()

    looked_at(lambda: desk.page.goto(desk.url + FACTORS))
    looked_at(lambda: desk.press("Make new codes"))
    desk.sign_out()
    looked_at(desk.sign_in)
