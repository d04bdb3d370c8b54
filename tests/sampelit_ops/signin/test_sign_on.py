"""Sign-in by a provider: who is let in as whom, and every wrong answer refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client

from ledger.models import Entry
from operations import authority
from operations.models import AccessToken, Environment, Notification
from operations.tokens.use import owner
from operations.votes.standing import standing
from sampelit_ops.models import Identity, Session
from sampelit_ops.roles import sync_roles
from tests.sampelit_ops.signin import issuer as issuers
from tests.sampelit_ops.signin.issuer import CLIENT, SECRET, Issuer

BEGIN, BACK = "/admin/account/sign-on/", "/admin/account/sign-on/callback/"
HOME = "/admin/password_change/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def issuer(db: None, settings: Any, production: Environment) -> Iterator[Issuer]:
    sync_roles()
    Environment.objects.create(slug="staging", name="Staging")
    with issuers.running() as running:
        settings.DEMO = True  # a provider on this machine is allowed to nobody else
        settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = running.url, CLIENT, SECRET
        settings.OIDC_ROLES = ["ops=Operator@staging", "ops=Viewer", "boss=Approver", "a=b=Auditor"]
        settings.OIDC_TRUSTED_MFA, settings.OPS_BASE_URL = [], "http://127.0.0.1:8000"
        yield running


def signed_in(client: Client) -> bool:
    return client.get(HOME).status_code == 200


def sign_on(issuer: Issuer, client: Client | None = None, **changed: str) -> Client:
    """Through the provider and back, with what comes back changed."""
    client = client or Client()
    began = client.get(BEGIN)
    if began["Location"].startswith(issuer.url):
        client.get(BACK, issuer.authorize(began["Location"]) | changed)
    return client


def said(client: Client) -> str:
    return client.get("/admin/login/").content.decode()


def test_the_question_is_a_code_with_pkce_state_and_nonce(issuer: Issuer) -> None:
    location = Client().get(BEGIN)["Location"]

    asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
    assert location.startswith(f"{issuer.url}/authorize?")
    assert (asked["response_type"], asked["code_challenge_method"], asked["client_id"]) == ("code", "S256", CLIENT)
    assert asked["redirect_uri"] == "http://127.0.0.1:8000/admin/account/sign-on/callback/"
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 43


def test_a_stranger_with_a_group_gets_an_account_and_its_roles(issuer: Issuer) -> None:
    client = sign_on(issuer)

    olga = User.objects.get(username="olga")
    assert signed_in(client)
    assert authority.roles(olga) == ["Operator@staging", "Viewer"]
    assert (olga.email, olga.has_usable_password(), olga.is_superuser) == ("olga@example.com", False, False)
    assert Identity.objects.get().subject == "subject-1"
    codes = set(Entry.objects.filter(subject="olga").values_list("code", flat=True))
    assert {"signin.provisioned", "signin.role_given"} <= codes
    assert Entry.objects.filter(code="signin.signed_in", actor="olga").exists()


def test_other_algorithms_sign_as_well(issuer: Issuer) -> None:
    issuers.by_curve(issuer)

    assert signed_in(sign_on(issuer))


def test_the_vote_of_whom_a_group_made_an_approver_waits_a_day(issuer: Issuer) -> None:
    issuer.claims["groups"] = ["boss"]
    sign_on(issuer)

    now = standing("olga", frozenset({"Approver"}))
    assert now is not None
    assert (now.settled, now.hands) == (False, {"sign-on"})


def test_roles_are_those_of_the_groups_at_each_sign_in(issuer: Issuer) -> None:
    first = sign_on(issuer)
    _, clear = AccessToken.objects.issue(User.objects.get(username="olga"), "laptop")
    issuer.claims["groups"] = ["boss", "unknown", 7]

    second = sign_on(issuer)

    assert authority.roles(User.objects.get(username="olga")) == ["Approver"]
    assert (signed_in(first), signed_in(second), owner(clear)) == (False, True, None)
    assert Notification.objects.filter(subject__contains="sign-on changed the roles of olga").exists()


@pytest.mark.parametrize("groups", [[], None, ["unknown"], "unknown", {"ops": 1}, [["ops"]]])
def test_a_leaver_is_refused_and_what_they_held_ends(issuer: Issuer, groups: Any) -> None:
    first = sign_on(issuer)
    _, clear = AccessToken.objects.issue(User.objects.get(username="olga"), "laptop")
    issuer.claims["groups"] = groups

    second = sign_on(issuer)

    assert (signed_in(first), signed_in(second), owner(clear)) == (False, False, None)
    assert authority.roles(User.objects.get(username="olga")) == []
    assert not Session.objects.filter(user__username="olga").exists()
    assert "None of your groups" in said(second)


def test_a_stranger_without_a_group_gets_no_account(issuer: Issuer) -> None:
    issuer.claims["groups"] = []

    assert not signed_in(sign_on(issuer))
    assert not User.objects.filter(username="olga").exists()


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "OLGA@example.com", "preferred_username": "other"},
        {"preferred_username": "Olga", "email": None},
        {"preferred_username": "system"},
        {"preferred_username": "sign-on"},
        {"preferred_username": "a b\n<script>"},
    ],
)
def test_nobody_takes_an_account_by_its_name_or_address(
    issuer: Issuer, person: Callable[..., User], claims: dict[str, Any]
) -> None:
    person("olga", "Admin")
    issuer.claims |= {"sub": "somebody-else", **claims}

    assert not signed_in(sign_on(issuer))
    assert not Identity.objects.exists()


def test_the_subject_counts_and_not_the_address(issuer: Issuer) -> None:
    sign_on(issuer)
    issuer.claims |= {"sub": "subject-2", "preferred_username": "eve"}

    assert not signed_in(sign_on(issuer))  # the address is olga's
    issuer.claims |= {"sub": "subject-1", "email": "new@example.com", "preferred_username": "renamed"}
    assert signed_in(sign_on(issuer))
    assert list(User.objects.filter(identities__isnull=False).values_list("username", flat=True)) == ["olga"]


def test_a_deactivated_person_stays_out(issuer: Issuer) -> None:
    sign_on(issuer)
    User.objects.filter(username="olga").update(is_active=False)

    assert not signed_in(sign_on(issuer))


@pytest.mark.parametrize(
    ("trusted", "claims", "proven"),
    [
        ([], {"amr": ["mfa"]}, False),
        (["mfa"], {"amr": ["pwd"]}, False),
        (["mfa"], {}, False),
        (["mfa"], {"amr": "mfa"}, False),
        (["mfa"], {"amr": ["pwd", "mfa"]}, True),
        (["phr"], {"acr": "phr"}, True),
    ],
)
def test_a_second_factor_is_asked_for_unless_the_provider_is_trusted_with_it(
    issuer: Issuer, settings: Any, trusted: list[str], claims: dict[str, Any], proven: bool
) -> None:
    settings.OIDC_TRUSTED_MFA = trusted
    issuer.claims |= claims
    client = sign_on(issuer)
    settings.DEMO = False

    answer = client.get("/admin/records/")

    assert (answer.status_code == 200) is proven
    assert proven or answer["Location"] == "/admin/account/second-factor/"


@pytest.mark.parametrize(("wanted", "reached"), [("/admin/records/", "/admin/records/"), ("//evil.com/", "/admin/")])
@pytest.mark.parametrize("absolute", [False, True])
def test_the_way_on_stays_here(issuer: Issuer, wanted: str, reached: str, absolute: bool) -> None:
    client = Client()
    address = f"https://evil.example{wanted}" if absolute else wanted
    began = client.get(BEGIN, {"next": address})

    answer = client.get(BACK, issuer.authorize(began["Location"]))

    assert answer["Location"] == ("/admin/" if absolute else reached)


def test_it_is_off_without_an_issuer(db: None) -> None:
    for address in (BEGIN, BACK):
        assert Client().get(address).status_code == 404
    assert "Sign in with" not in said(Client())


def test_the_page_offers_it(issuer: Issuer, settings: Any) -> None:
    settings.OIDC_NAME = "Example & Co"

    assert "Sign in with Example &amp; Co" in said(Client())
