"""What every answer tells the browser, whoever asks and whatever the answer is."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from tests import factories

OF_NOBODY = ("/admin/login/", "/healthz", "/readyz", "/metrics", "/nowhere/", "/admin/operations/operation/")
OF_PEOPLE = (
    *("/admin/", "/admin/operations/operation/", "/admin/account/", "/admin/nowhere/", "/admin/jump/?q=api"),
    *("/admin/ledger/entry/", "/admin/doctor/", "/admin/auth/user/", "/admin/jsi18n/"),
)
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
}
POLICY = (
    *("default-src 'none'", "script-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"),
    "form-action 'self'",
)


@pytest.fixture
def https(settings: Settings) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True


def assert_headers(answer: HttpResponse) -> None:
    assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert [wanted for wanted in POLICY if wanted not in policy] == []
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    if answer.content and answer.headers["Content-Type"].startswith("text/"):
        assert "charset=utf-8" in answer.headers["Content-Type"].lower().replace('"', "")


@pytest.mark.parametrize("path", OF_NOBODY)
def test_of_nobody(path: str, client: Client, db: None, https: None) -> None:
    assert_headers(client.get(path, secure=True))


def test_of_people(client: Client, db: None, https: None) -> None:
    client.force_login(factories.world().everything)

    answers = {path: client.get(path, secure=True) for path in OF_PEOPLE}

    for answer in answers.values():
        assert_headers(answer)
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert [path for path, answer in answers.items() if "no-store" not in answer.headers["Cache-Control"]] == []


def test_a_sign_out_clears_what_the_browser_kept(client: Client, db: None) -> None:
    client.force_login(factories.world().everything)

    assert "Clear-Site-Data" not in client.get("/admin/").headers
    assert client.post("/admin/logout/").headers["Clear-Site-Data"] == '"cache"'


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PROPFIND"])
def test_no_method_echoes_a_request(method: str, client: Client, db: None) -> None:
    answer = client.generic(method, "/admin/login/", headers={"X-Canary": "canary-7c1"})

    assert answer.status_code == 405
    assert b"canary-7c1" not in answer.content
