"""The log has each sign-in that failed and each act that was refused; the ledger each sign-in that succeeded."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from ledger.models import Entry
from sampelit_ops.signin import middleware, name_limit
from tests.sampelit_ops.signin.codes import PASSWORD


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Taken at the loggers themselves, whatever other tests did to the logging of this process."""
    lines: list[str] = []
    for module in (middleware, name_limit):
        monkeypatch.setattr(module.logger, "warning", lambda text, *values: lines.append(text % values))
    return lines


def test_a_failed_sign_in_is_a_line_without_its_password(
    client: Client, person: Callable[..., User], warnings: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    person("vera", "Viewer")

    client.post("/admin/login/", {"username": "vera", "password": "not-her-password-9"})

    assert [line.partition(" from ")[0] for line in warnings] == ["sign-in failed: vera"]
    assert "not-her-password-9" not in " ".join([*warnings, caplog.text])


def test_a_password_in_the_wrong_field_is_not_kept(
    client: Client, db: None, warnings: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    client.post("/admin/login/", {"username": "my-own-password-7", "password": "vera"})

    assert [line.partition(" from ")[0] for line in warnings] == ["sign-in failed: a name that nobody has"]
    assert "my-own-password-7" not in " ".join([*warnings, caplog.text])


def test_a_sign_in_is_an_entry(client: Client, person: Callable[..., User]) -> None:
    person("vera", "Viewer")

    client.post("/admin/login/", {"username": "vera", "password": PASSWORD})

    assert Entry.objects.filter(code="signin.signed_in", actor="vera").count() == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", "/admin/auth/user/add/"), ("post", "/admin/ledger/entry/verify/"), ("post", "/admin/doctor/")],
)
def test_a_refused_act_is_a_line(
    method: str, path: str, client: Client, person: Callable[..., User], warnings: list[str]
) -> None:
    client.force_login(person("vera", "Viewer"))

    answer = getattr(client, method)(path)

    assert answer.status_code == 403
    assert warnings == [f"refused to vera: {method.upper()} {path}"]
