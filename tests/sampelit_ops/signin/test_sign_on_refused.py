"""What comes back wrong from a sign-in provider signs nobody in: each of these alone, beside one that is right."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from providers import oidc
from providers.errors import ProviderError
from tests.sampelit_ops.signin import issuer as issuers
from tests.sampelit_ops.signin.issuer import Issuer
from tests.sampelit_ops.signin.test_sign_on import BACK, BEGIN, issuer, said, sign_on, signed_in

__all__ = ["issuer"]
pytestmark = pytest.mark.django_db
NOW = time.time()

WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "nonce of another": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "nonce that is no text": {"nonce": 7},
    "another issuer": {"iss": "https://evil.example"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "another"},
    "no audience": {"aud": None},
    "audiences without us": {"aud": ["another", "third"]},
    "two audiences and no azp": {"aud": ["ops", "another"]},
    "for another party": {"aud": ["ops", "another"], "azp": "another"},
    "azp of another": {"azp": "another"},
    "expired": {"exp": int(NOW) - 3_600},
    "no end": {"exp": None},
    "an end that is no number": {"exp": "tomorrow"},
    "an endless end": {"exp": True},
    "issued long ago": {"iat": int(NOW) - 3_600},
    "issued tomorrow": {"iat": int(NOW) + 86_400},
    "no time of issue": {"iat": None},
    "not before tomorrow": {"nbf": int(NOW) + 86_400},
    "no subject": {"sub": None},
    "empty subject": {"sub": ""},
    "a subject that is no text": {"sub": ["olga"]},
    "a subject without end": {"sub": "x" * 256},
}


@pytest.mark.parametrize("wrong", WRONG_CLAIMS)
def test_claims_that_are_not_for_this_sign_in(issuer: Issuer, wrong: str) -> None:
    issuer.claims = WRONG_CLAIMS[wrong]

    assert not signed_in(sign_on(issuer))
    assert not User.objects.filter(username="olga").exists()
    issuer.claims = {}
    assert signed_in(sign_on(issuer))


WRONG_SIGNATURES: dict[str, Callable[[Issuer], Any]] = {
    "alg none": lambda issuer: issuers.unsigned,
    "HS256 with the public key": lambda issuer: lambda header, claims: issuers.by_public_key(issuer, header, claims),
    "a key of another": lambda issuer: issuers.by_another,
    "no token": lambda issuer: lambda header, claims: None,
    "no text": lambda issuer: lambda header, claims: ["a", "b"],
    "a text that is no token": lambda issuer: lambda header, claims: "a.b",
    "a token without an end": lambda issuer: lambda header, claims: "a" * 40_000,
}


@pytest.mark.parametrize("wrong", WRONG_SIGNATURES)
def test_a_token_that_the_provider_did_not_sign(issuer: Issuer, wrong: str) -> None:
    issuer.sign = WRONG_SIGNATURES[wrong](issuer)

    assert not signed_in(sign_on(issuer))


@pytest.mark.parametrize("header", [{"kid": "unknown"}, {"kid": 7}, {"alg": "RS256", "kid": ""}])
def test_a_key_that_is_not_known(issuer: Issuer, header: dict[str, Any]) -> None:
    issuer.header = header

    assert not signed_in(sign_on(issuer))


@pytest.mark.parametrize("keys", [[], [{"kty": "oct", "kid": "one", "k": "AAAA"}], [{"kty": "RSA", "kid": "one"}], [7]])
def test_keys_that_are_none(issuer: Issuer, keys: list[Any]) -> None:
    issuer.answers["/jwks"] = json.dumps({"keys": keys}).encode()

    assert not signed_in(sign_on(issuer))


@pytest.mark.parametrize(
    "changed",
    [
        {"state": "wrong"},
        {"state": ""},
        {"state": "ä"},
        {"code": "wrong"},
        {"iss": "https://evil.example"},
        {"error": "access_denied"},
        {"error": "<script>alert(1)</script>"},
    ],
)
def test_what_comes_back_changed(issuer: Issuer, changed: dict[str, str]) -> None:
    client = sign_on(issuer, **changed)

    assert not signed_in(client)
    assert "<script>alert" not in said(client)


def test_state_and_code_work_once(issuer: Issuer) -> None:
    client = Client()
    back = issuer.authorize(client.get(BEGIN)["Location"])
    client.get(BACK, back)
    client.post("/admin/logout/")

    client.get(BACK, back)

    assert not signed_in(client)
    assert len(issuer.redeemed) == 1


def test_a_refused_answer_cannot_be_mended(issuer: Issuer) -> None:
    client = Client()
    back = issuer.authorize(client.get(BEGIN)["Location"])

    client.get(BACK, back | {"state": "guess"})
    client.get(BACK, back)

    assert not signed_in(client)


def test_an_answer_for_another_browser(issuer: Issuer) -> None:
    back = issuer.authorize(Client().get(BEGIN)["Location"])
    other = Client()
    other.get(BEGIN)

    other.get(BACK, back)

    assert not signed_in(other)
    assert issuer.redeemed == []


def test_a_code_of_another_question_does_not_fit_the_verifier(issuer: Issuer) -> None:
    stolen = issuer.authorize(Client().get(BEGIN)["Location"])["code"]
    client = Client()
    back = issuer.authorize(client.get(BEGIN)["Location"])

    client.get(BACK, back | {"code": stolen})

    assert not signed_in(client)


def test_a_sign_in_that_took_too_long(issuer: Issuer) -> None:
    client = Client()
    back = issuer.authorize(client.get(BEGIN)["Location"])
    session = client.session
    session["oidc_attempt"]["began_at"] -= 601
    session.save()

    client.get(BACK, back)

    assert not signed_in(client)
    assert "longer than ten minutes" in said(client)


DISCOVERY: dict[str, bytes] = {
    "no JSON": b"<html>",
    "a list": b"[]",
    "another issuer": b'{"issuer": "https://evil.example", "authorization_endpoint": "https://evil.example/a"}',
    "huge": b'{"issuer": "' + b"x" * 10_000_000 + b'"}',
    "deep": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "empty": b"",
}


@pytest.mark.parametrize("answer", DISCOVERY)
def test_a_provider_that_answers_anything_else(issuer: Issuer, answer: str) -> None:
    issuer.answers["/.well-known/openid-configuration"] = DISCOVERY[answer]
    client = Client()
    began = time.monotonic()

    refused = client.get(BEGIN)

    assert (refused.status_code, refused["Location"]) == (302, "/admin/login/")
    assert "Nobody was signed in" in said(client)
    assert time.monotonic() - began < 8


@pytest.mark.parametrize("endpoint", ["http://evil.example/a", "javascript:alert(1)", "https://u:p@evil.example/", ""])
def test_an_address_that_is_not_https(issuer: Issuer, endpoint: str) -> None:
    found = {"issuer": issuer.url, "authorization_endpoint": endpoint}
    issuer.answers["/.well-known/openid-configuration"] = json.dumps(found).encode()

    assert Client().get(BEGIN)["Location"] == "/admin/login/"


def test_a_provider_that_is_away(issuer: Issuer, settings: Any) -> None:
    settings.OIDC_ISSUER = "http://127.0.0.1:9"

    assert Client().get(BEGIN)["Location"] == "/admin/login/"


def test_a_provider_that_speaks_a_little_at_a_time(issuer: Issuer) -> None:
    issuer.answers["/.well-known/openid-configuration"] = b" " * 10_000
    issuer.wait = 1.0
    began = time.monotonic()

    refused = Client().get(BEGIN)["Location"]

    assert refused == "/admin/login/"
    assert time.monotonic() - began < 7


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://127.0.0.1:1", "https://10.0.0.1", "http://example.com"])
def test_outside_the_demo_only_public_https_is_called(url: str) -> None:
    with pytest.raises(ProviderError, match="Nobody was signed in"):
        oidc.discover(url, loopback=False)
