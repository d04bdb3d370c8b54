"""The pages of one's own passkeys, and signing in with one: what is asked first, what stays, what is not theirs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from ledger.models import Entry
from operations.factors import devices, passkeys
from operations.models import Authenticator, Passkey, RecoveryCodes
from operations.web.step_up import ASKS
from tests.sampelit_ops.signin.codes import PASSWORD, code_of
from tests.soft_authenticator import SoftAuthenticator
from tests.stepping import SteppingClient

FACTORS, ADD = "/admin/account/second-factor/", "/admin/account/second-factor/passkeys/add/"
SIGN_IN = "/admin/account/sign-in/passkey/"


@pytest.fixture(autouse=True)
def ours(settings: Settings) -> None:
    settings.PASSKEY_ORIGIN, settings.PASSKEY_RP_ID = "http://localhost:8000", "localhost"


@pytest.fixture
def olga(enrolled: Callable[..., Authenticator]) -> Authenticator:
    return enrolled("olga", "Operator")


@pytest.fixture
def desk(olga: Authenticator) -> SteppingClient:
    """Her browser, in which she showed a code."""
    client = SteppingClient()
    client.force_login(olga.user)
    client.post(FACTORS, {"code": code_of(olga)})
    return client


def _add(client: Client, name: str = "laptop") -> SoftAuthenticator:
    made = SoftAuthenticator()
    options = client.get(FACTORS).context["options"]
    client.post(ADD, {"name": name, "answer": made.register(options)})
    return made


def _password(client: Client, username: str = "olga", **more: str) -> str:
    given = {"username": username, "password": PASSWORD, "next": "/admin/records/", **more}
    answer = client.post("/admin/login/", given)
    return str(answer.context["form"].passkey_options) if answer.context else ""


def test_one_more_needs_a_factor_that_is_shown_for_it(desk: SteppingClient, olga: Authenticator) -> None:
    plain = Client()
    plain.cookies = desk.cookies
    options = plain.get(FACTORS).context["options"]
    given = {"name": "laptop", "answer": SoftAuthenticator().register(options)}

    assert plain.post(ADD, given).status_code == ASKS
    assert not Passkey.objects.exists()

    desk.post(ADD, given)
    assert Passkey.objects.get().user == olga.user
    assert Entry.objects.filter(code="signin.passkey_added", actor="olga", subject="laptop").exists()


def test_a_session_that_showed_nothing_adds_nothing(olga: Authenticator, client: Client) -> None:
    client.force_login(olga.user)
    options = passkeys.registration(olga.user, client.session.session_key or "", [])

    client.post(ADD, {"name": "x", "answer": SoftAuthenticator().register(options)})

    assert not Passkey.objects.exists()


def test_as_the_first_factor_it_opens_the_portal_and_brings_codes(person: Callable[..., User], client: Client) -> None:
    user = person("nina", "Operator")
    client.force_login(user)
    assert client.get("/admin/records/")["Location"] == FACTORS
    options = client.get(FACTORS).context["options"]

    shown = client.post(ADD, {"name": "key", "answer": SoftAuthenticator().register(options)})

    assert len(shown.context["codes"]) == devices.RECOVERY_CODES
    assert client.get("/admin/records/").status_code == 200


def test_renamed_and_removed_by_its_owner_alone(desk: SteppingClient, person: Callable[..., User]) -> None:
    _add(desk)
    row = Passkey.objects.get()
    stranger = SteppingClient()
    stranger.force_login(person("vera", "Viewer"))
    for what in ("rename", "remove"):
        assert stranger.post(f"{FACTORS}passkeys/{row.pk}/{what}/", {"name": "mine"}).status_code == 404

    desk.post(f"{FACTORS}passkeys/{row.pk}/rename/", {"name": "  blue   key "})
    assert Passkey.objects.get().name == "blue key"
    desk.post(f"{FACTORS}passkeys/{row.pk}/remove/")

    assert not Passkey.objects.exists()
    codes = ["signin.passkey_added", "signin.passkey_renamed", "signin.passkey_removed"]
    written = Entry.objects.filter(code__startswith="signin.passkey").order_by("sequence")
    assert list(written.values_list("code", flat=True)) == codes


def test_the_last_factor_stays(desk: SteppingClient, olga: Authenticator) -> None:
    desk.post(f"{FACTORS}app/remove/")
    assert devices.confirmed(olga.user)
    _add(desk)
    desk.post(f"{FACTORS}app/remove/")
    assert devices.confirmed(olga.user) is None

    for row in Passkey.objects.all():
        desk.post(f"{FACTORS}passkeys/{row.pk}/remove/")

    assert Passkey.objects.count() == 1


def test_a_password_then_a_passkey_sign_in(desk: SteppingClient, client: Client) -> None:
    key = _add(desk)
    options = _password(client)
    assert "_auth_user_id" not in client.session

    answer = client.post(SIGN_IN, {"answer": key.sign(options)})

    assert answer["Location"] == "/admin/records/"
    assert client.get("/admin/account/tokens/").status_code == 200
    assert Entry.objects.filter(code="signin.signed_in", actor="olga").count() == 1


def test_a_passkey_without_the_password_signs_nobody_in(desk: SteppingClient, client: Client) -> None:
    key = _add(desk)
    options = _password(client)
    other = Client()
    other.get("/admin/login/")

    for thief, sent in ((other, key.sign(options)), (client, "nonsense"), (client, key.sign(options))):
        answer = thief.post(SIGN_IN, {"answer": sent})

        assert answer["Location"] == "/admin/login/"
        assert "_auth_user_id" not in thief.session


def test_a_wrong_password_offers_no_passkey(desk: SteppingClient, client: Client) -> None:
    _add(desk)

    assert _password(client, password="wrong") == ""
    assert "first_factor" not in client.session


def test_it_leads_to_no_other_site(desk: SteppingClient, client: Client) -> None:
    key = _add(desk)
    options = _password(client, next="https://evil.example/")

    assert client.post(SIGN_IN, {"answer": key.sign(options)})["Location"] == "/admin/"


def test_a_new_password_ends_what_the_old_one_began(desk: SteppingClient, client: Client) -> None:
    key = _add(desk)
    options = _password(client)
    user = User.objects.get(username="olga")
    user.set_password("another long sentence")
    user.save()

    assert client.post(SIGN_IN, {"answer": key.sign(options)})["Location"] == "/admin/login/"


def test_a_session_without_factor_is_proven_by_a_passkey(
    desk: SteppingClient, olga: Authenticator, client: Client
) -> None:
    key = _add(desk)
    client.force_login(olga.user)
    page = client.get(FACTORS)

    client.post(FACTORS, {"answer": key.sign(page.context["options"])})

    assert client.get("/admin/account/tokens/").status_code == 200


def test_to_start_over_drops_them_too(desk: SteppingClient, olga: Authenticator) -> None:
    _add(desk)
    devices.new_recovery_codes(olga.user)

    devices.remove(olga.user)

    assert not any(model.objects.exists() for model in (Passkey, Authenticator, RecoveryCodes))
