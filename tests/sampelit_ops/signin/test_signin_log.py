"""The log has each sign-in that failed and each act that was refused; the ledger each sign-in that succeeded."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from ledger.models import Entry
from tests.sampelit_ops.signin.codes import PASSWORD


def test_a_failed_sign_in_is_a_line_without_its_password(
    client: Client, person: Callable[..., User], caplog: pytest.LogCaptureFixture
) -> None:
    person("vera", "Viewer")

    client.post("/admin/login/", {"username": "vera", "password": "not-her-password-9"})

    assert [record.levelname for record in caplog.records if "vera" in record.getMessage()] == ["WARNING"]
    assert "not-her-password-9" not in caplog.text


def test_a_password_in_the_wrong_field_is_not_kept(client: Client, db: None, caplog: pytest.LogCaptureFixture) -> None:
    client.post("/admin/login/", {"username": "my-own-password-7", "password": "vera"})

    assert "sign-in failed: a name that nobody has" in caplog.text
    assert "my-own-password-7" not in caplog.text


def test_a_sign_in_is_an_entry(client: Client, person: Callable[..., User]) -> None:
    person("vera", "Viewer")

    client.post("/admin/login/", {"username": "vera", "password": PASSWORD})

    assert Entry.objects.filter(code="signin.signed_in", actor="vera").count() == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", "/admin/auth/user/add/"), ("post", "/admin/ledger/entry/verify/"), ("post", "/admin/doctor/")],
)
def test_a_refused_act_is_a_line(
    method: str, path: str, client: Client, person: Callable[..., User], caplog: pytest.LogCaptureFixture
) -> None:
    client.force_login(person("vera", "Viewer"))

    answer = getattr(client, method)(path)

    assert answer.status_code == 403
    assert f"refused to vera: {method.upper()} {path}" in caplog.text
