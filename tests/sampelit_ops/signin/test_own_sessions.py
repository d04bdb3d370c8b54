"""Where a person is signed in: seen by them, ended by them, by admins and by what changes; new browsers are told."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import UpdateError
from django.core import signing
from django.test import Client

from ledger import registry
from ledger.models import Entry
from operations.models import Authenticator, Notification
from sampelit_ops.models import Session
from sampelit_ops.signin import browser
from sampelit_ops.signin.role_changes import set_roles
from tests.sampelit_ops.signin.codes import PASSWORD, code_of
from tests.stepping import SteppingClient, stepping

PAGE = "/admin/account/sessions/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"

pytestmark = pytest.mark.django_db


def desk(name: str, agent: str = FIREFOX, client: Client | None = None) -> Client:
    """A browser in which this person has signed in with a password."""
    client = client or Client()
    given = {"username": name, "password": PASSWORD, "next": PAGE}
    answer = client.post("/admin/login/", given, headers={"user-agent": agent})
    assert answer.status_code == 302, answer.content
    return client


def alive(client: Client) -> bool:
    return client.get("/admin/password_change/").status_code == 200


def said(code: str) -> list[str]:
    return [registry.sentence_for(entry) for entry in Entry.objects.filter(code=code).order_by("sequence")]


@pytest.fixture
def vera(person: Callable[..., User]) -> User:
    return person("vera", "Viewer")


def test_the_list_shows_ones_own_and_marks_this_one(vera: User, person: Callable[..., User]) -> None:
    person("ada", "Viewer")
    here, phone, other = desk("vera"), desk("vera", SAFARI), desk("ada", CHROME)

    shown = here.get(PAGE).content.decode()

    assert "Firefox on Linux" in shown
    assert "Safari on iPhone" in shown
    assert "Chrome on Windows" not in shown
    assert shown.lower().count("this one<") == 1
    assert not any(row.pk in shown for row in Session.objects.all())
    assert said("signin.signed_in")[0] == "vera signed in with Firefox on Linux from 127.0.0.1"
    assert all(map(alive, (here, phone, other)))


def test_one_is_ended_and_no_other(vera: User) -> None:
    here, phone, tablet = desk("vera"), desk("vera", SAFARI), desk("vera", CHROME)
    ended = Session.objects.get(device="Safari on iPhone").public_id

    here.post(f"{PAGE}{ended}/end/")

    assert [alive(client) for client in (here, phone, tablet)] == [True, False, True]
    assert said("signin.sessions_ended") == ["vera ended the sessions of vera (Safari on iPhone)"]


def test_all_others_are_ended_and_the_end_is_not_undone_by_a_request_under_way(vera: User) -> None:
    here, phone = desk("vera"), desk("vera", SAFARI)
    under_way = phone.session
    assert under_way["device"] == "Safari on iPhone"  # it has read its session

    here.post(f"{PAGE}end/")

    with pytest.raises(UpdateError):
        under_way["seen_at"] = 0.0
        under_way.save()
    assert [alive(client) for client in (here, phone)] == [True, False]


def test_nobody_ends_the_session_of_another(vera: User, person: Callable[..., User]) -> None:
    person("ada", "Viewer")
    here, other = desk("vera"), desk("ada", CHROME)
    hers = Session.objects.get(user__username="ada")

    here.post(f"{PAGE}{hers.public_id}/end/")
    here.post(f"{PAGE}{hers.pk}/end/")

    assert alive(other)
    assert said("signin.sessions_ended") == []


def _password(vera: User, here: Client) -> None:
    new = "another-long-sentence-42"
    here.post("/admin/password_change/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})


def _factor(vera: User, here: Client) -> None:
    here.get("/admin/account/second-factor/")
    code = code_of(Authenticator.objects.get(user=vera))
    assert here.post("/admin/account/second-factor/", {"code": code}).status_code == 200


def _roles(vera: User, here: Client) -> None:
    stepping(set_roles)(vera, ["Auditor"], by="amir")


def _deactivation(vera: User, here: Client) -> None:
    _by_admin(here, vera, "deactivate")


def _sign_out(vera: User, here: Client) -> None:
    _by_admin(here, vera, "sign_out")


def _by_admin(here: Client, vera: User, action: str) -> None:
    admin = User.objects.get(username="amir")
    client = SteppingClient()
    client.force_login(admin)
    client.post("/admin/auth/user/", {"action": action, "_selected_action": [vera.pk]})


@pytest.mark.parametrize(
    ("change", "stays", "actor"),
    [
        (_password, True, "vera"),
        (_factor, True, "vera"),
        (_roles, False, "amir"),
        (_deactivation, False, "amir"),
        (_sign_out, False, "amir"),
    ],
)
def test_what_changes_ends_sessions_at_once(
    vera: User,
    person: Callable[..., User],
    settings,
    change: Callable[[User, Client], None],
    stays: bool,
    actor: str,
) -> None:
    settings.DEMO = True
    person("amir", "Admin")
    here, phone = desk("vera"), desk("vera", SAFARI)

    change(vera, here)

    left = list(Session.objects.living().filter(user=vera).values_list("device", flat=True))
    assert left == (["Firefox on Linux"] if stays else [])
    assert (alive(here), alive(phone)) == (stays, False)
    entry = Entry.objects.get(code="signin.sessions_ended")
    assert (entry.actor, entry.subject) == (actor, "vera")


def test_a_new_browser_is_told_once_and_to_its_person_alone(vera: User, settings) -> None:
    settings.EMAIL_HOST, settings.NOTIFY_EMAILS = "smtp.example.com", ["team@example.com"]
    settings.SLACK_WEBHOOK_URL = "https://hooks.slack.com/services/x"
    here = desk("vera")

    for _ in range(3):
        here.post("/admin/logout/")
        desk("vera", CHROME, here)  # an update of the browser is no other browser
    desk("vera", FIREFOX)

    told = Notification.objects.filter(subject__contains="new device").values_list("channel", "recipients")
    assert list(told) == [("email", "vera@example.com")] * 2
    assert "Firefox on Linux, from 127.0.0.1" in Notification.objects.earliest("pk").body
    assert said("signin.signed_out") == ["vera signed out"] * 3


def test_a_browser_of_another_or_a_forged_cookie_is_new(vera: User, person: Callable[..., User], settings) -> None:
    ada = person("ada", "Viewer")
    shared, forger = desk("vera"), Client()
    forger.cookies[settings.DEVICE_COOKIE_NAME] = signing.get_cookie_signer(salt="another").sign(str(ada.pk))

    desk("ada", FIREFOX, shared)
    desk("ada", FIREFOX, forger)
    desk("vera", FIREFOX, shared)

    assert Notification.objects.filter(subject__contains="new device").count() == 3
    assert said("signin.signed_out") == ["vera signed out", "ada signed out"]


def test_the_cookie_of_a_browser_is_kept_from_scripts_and_bounded(vera: User, settings) -> None:
    client = desk("vera")
    cookie = client.cookies[settings.DEVICE_COOKIE_NAME]

    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    signer = signing.get_cookie_signer(salt=settings.DEVICE_COOKIE_NAME + browser.SALT)
    client.cookies[settings.DEVICE_COOKIE_NAME] = signer.sign(".".join(map(str, range(1000, 1010))))
    client.post("/admin/logout/")
    desk("vera", FIREFOX, client)
    assert len(client.cookies[settings.DEVICE_COOKIE_NAME].value.split(":")[0].split(".")) == 10


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (FIREFOX, "Firefox on Linux"),
        (SAFARI, "Safari on iPhone"),
        (CHROME, "Chrome on Windows"),
        (CHROME + " Edg/140.0.0.0", "Edge on Windows"),
        ("curl/8.5.0", "an unknown browser"),
        ("", "an unknown browser"),
        ("<script>alert(1)</script>" * 90, "an unknown browser"),
    ],
)
def test_a_browser_in_words(rf, agent: str, expected: str) -> None:
    assert browser.words(rf.get("/", headers={"user-agent": agent})) == expected


def test_idle_and_old_sessions_are_not_listed(vera: User) -> None:
    here, idle = desk("vera"), desk("vera", SAFARI)
    session = idle.session
    session["seen_at"] -= 3_601
    session.save()

    shown = here.get(PAGE).content.decode()

    assert not re.search("iPhone", shown)
