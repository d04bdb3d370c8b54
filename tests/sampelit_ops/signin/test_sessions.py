"""When a session ends: idle, old, password changed, roles changed, deactivated; scripts never keep it alive."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from tests.sampelit_ops.signin.codes import PASSWORD

HOME = "/admin/password_change/"


@pytest.fixture
def vera(person: Callable[..., User], client: Client) -> User:
    user = person("vera", "Viewer")
    client.force_login(user)
    assert client.get(HOME).status_code == 200
    return user


def _age(client: Client, **seconds: float) -> None:
    session = client.session
    for name, back in seconds.items():
        session[name] -= back
    session.save()


def test_idle(vera: User, client: Client) -> None:
    _age(client, seen_at=3_601)

    response = client.get(HOME)

    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")


def test_absolute(vera: User, client: Client) -> None:
    _age(client, began_at=43_201)

    assert client.get(HOME).status_code == 302


def test_activity_keeps_it_alive(vera: User, client: Client) -> None:
    _age(client, seen_at=3_500)
    client.get(HOME)
    _age(client, seen_at=3_500)

    assert client.get(HOME).status_code == 200


def test_scripts_do_not_keep_it_alive(vera: User, client: Client) -> None:
    _age(client, seen_at=3_500)
    client.get(HOME, headers={"Sec-Fetch-Dest": "empty"})
    _age(client, seen_at=200)

    assert client.get(HOME, headers={"Sec-Fetch-Dest": "empty"}).status_code == 401


def test_password_change_elsewhere(vera: User, client: Client) -> None:
    vera.set_password(PASSWORD + " new")
    vera.save()

    assert client.get(HOME).status_code == 302


@pytest.mark.parametrize("roles", [["Admin"], [], ["Viewer", "Auditor"]])
def test_role_change(vera: User, client: Client, roles: list[str]) -> None:
    vera.groups.set(Group.objects.filter(name__in=roles))

    assert client.get(HOME).status_code == 302
    assert "_auth_user_id" not in client.session


def test_deactivation(vera: User, client: Client) -> None:
    User.objects.update(is_active=False)

    assert client.get(HOME).status_code == 302
