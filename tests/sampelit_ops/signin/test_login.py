"""Signing in: the code is asked, replays and guesses are refused, a forged X-Forwarded-For does not unlock."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from ledger.models import Entry
from operations.factors import devices
from operations.models import Authenticator, Notification
from tests.sampelit_ops.signin.codes import code_of

Attempt = Callable[..., object]
Asked = Callable[[], bool]


def test_password_and_code(
    enrolled: Callable[..., Authenticator], sign_in: Attempt, signed_in: Asked, client: Client
) -> None:
    device = enrolled("olga", "Operator")

    sign_in("olga", code_of(device))

    assert signed_in()
    assert client.get("/admin/account/tokens/").status_code == 200
    assert Entry.objects.filter(code="signin.signed_in", actor="olga").count() == 1


@pytest.mark.parametrize("code", ["", "000000", "not a code", "1" * 21])
def test_without_the_right_code(
    enrolled: Callable[..., Authenticator], sign_in: Attempt, signed_in: Asked, code: str
) -> None:
    enrolled("olga", "Operator")

    sign_in("olga", code)

    assert not signed_in()


def test_a_code_works_once(
    enrolled: Callable[..., Authenticator], sign_in: Attempt, signed_in: Asked, client: Client
) -> None:
    code = code_of(enrolled("olga", "Operator"))
    sign_in("olga", code)
    client.logout()

    response = sign_in("olga", code)

    assert not signed_in()
    assert "was used before" in response.content.decode()


def test_a_recovery_code_works_once(
    enrolled: Callable[..., Authenticator], sign_in: Attempt, signed_in: Asked, client: Client
) -> None:
    user = enrolled("olga", "Operator").user
    code = devices.new_recovery_codes(user)[0]
    sign_in("olga", code.upper())
    assert signed_in()
    client.logout()

    sign_in("olga", code)

    assert not signed_in()
    assert devices.remaining_recovery_codes(user) == devices.RECOVERY_CODES - 1
    assert Entry.objects.filter(code="signin.recovery_code_used").exists()


def test_somebody_elses_code_is_refused(
    enrolled: Callable[..., Authenticator], sign_in: Attempt, signed_in: Asked
) -> None:
    enrolled("olga", "Operator")
    other = enrolled("ada", "Approver")

    sign_in("olga", code_of(other))

    assert not signed_in()


def test_wrong_codes_lock_like_wrong_passwords(
    enrolled: Callable[..., Authenticator], sign_in: Attempt, settings: Settings
) -> None:
    device = enrolled("olga", "Operator")
    for _ in range(settings.AXES_FAILURE_LIMIT):
        sign_in("olga", "000000")

    assert sign_in("olga", code_of(device)).status_code == 429


@pytest.mark.parametrize(
    ("networks", "ours"),
    [
        ([], ""),
        (["127.0.0.0/8"], "198.51.100.7"),
        (["127.0.0.0/8", "10.0.0.0/8"], "198.51.100.7, 10.0.0.1"),
    ],
)
def test_a_forged_forwarded_for_does_not_unlock(
    person: Callable[..., User], sign_in: Attempt, signed_in: Asked, settings: Settings, networks: list[str], ours: str
) -> None:
    settings.OPS_PROXY_NETWORKS = networks
    person("vera", "Viewer")
    for n in range(settings.AXES_FAILURE_LIMIT):
        sign_in("vera", password="wrong", HTTP_X_FORWARDED_FOR=", ".join(filter(None, [f"203.0.113.{n}", ours])))

    for forged in ("", "203.0.113.99", "203.0.113.99, 203.0.113.98", "127.0.0.1, ::1", "nonsense"):
        chain = ", ".join(filter(None, [forged, ours]))
        assert sign_in("vera", HTTP_X_FORWARDED_FOR=chain).status_code == 429
        assert not signed_in()


def test_another_address_behind_the_proxy_is_not_locked(
    person: Callable[..., User], sign_in: Attempt, signed_in: Asked, settings: Settings
) -> None:
    settings.OPS_PROXY_NETWORKS = ["127.0.0.0/8"]
    person("vera", "Viewer")
    for _ in range(settings.AXES_FAILURE_LIMIT):
        sign_in("vera", password="wrong", HTTP_X_FORWARDED_FOR="198.51.100.7")

    sign_in("vera", HTTP_X_FORWARDED_FOR="198.51.100.8")

    assert signed_in()


def test_a_lock_is_recorded_and_told_once(person: Callable[..., User], sign_in: Attempt, settings: Settings) -> None:
    person("vera", "Viewer")
    for username in ("vera", "nobody"):
        for _ in range(settings.AXES_FAILURE_LIMIT + 3):
            sign_in(username, password="wrong")

    assert [entry.subject for entry in Entry.objects.filter(code="signin.locked")] == ["vera"]
    assert Notification.objects.filter(subject__startswith="Sign-in of vera").count() == 1


@pytest.mark.parametrize("header", ["nonsense", "1.2.3.4:80", "'; --", "x" * 500, ","])
def test_a_header_that_is_no_address_is_ignored(
    person: Callable[..., User], sign_in: Attempt, settings: Settings, header: str
) -> None:
    settings.OPS_PROXY_NETWORKS = ["127.0.0.0/8"]
    person("vera", "Viewer")
    for _ in range(settings.AXES_FAILURE_LIMIT):
        sign_in("vera", password="wrong", HTTP_X_FORWARDED_FOR=header)

    assert sign_in("vera").status_code == 429


def test_headers(client: Client, db: None) -> None:
    response = client.get("/admin/login/")

    assert "camera=()" in response["Permissions-Policy"]
    assert response["X-Frame-Options"] == "DENY"
    assert "unsafe" not in response["Content-Security-Policy"]
