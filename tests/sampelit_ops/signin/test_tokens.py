"""The pages of personal tokens: one's own, and everybody's for admins."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from operations.models import AccessToken
from operations.tokens.use import make, owner
from sampelit_ops import settings_fixed
from sampelit_ops.signin.role_changes import set_roles
from tests.stepping import SteppingClient, stepping


@pytest.fixture
def admin_client(person: Callable[..., User], settings) -> Client:
    settings.DEMO, client = True, SteppingClient()
    client.force_login(person("amir", "Admin"))
    return client


def test_an_admin_sees_and_ends_the_tokens_of_all(admin_client: Client, person: Callable[..., User]) -> None:
    vera = person("vera", "Viewer")
    row, clear = AccessToken.objects.issue(vera, "lost laptop")
    address = "/admin/operations/accesstoken/"

    shown = admin_client.get(address).content.decode()
    single = admin_client.get(f"{address}{row.pk}/change/").content.decode()
    admin_client.post(address, {"action": "end", "_selected_action": [row.pk]})

    assert ("lost laptop" in shown, row.token_sha256 in shown + single) == (True, False)
    assert owner(clear) is None
    other = Client()
    other.force_login(vera)
    assert other.get(address).status_code == 403


def test_a_token_is_made_for_its_scopes_and_place(admin_client: Client) -> None:
    given = {"name": "ci", "days": 7, "scopes": ["vote"]}

    shown = admin_client.post("/admin/account/tokens/", given).content.decode()

    assert AccessToken.objects.get().scopes == ["read", "vote"]
    assert "read, vote" in shown
    admin_client.post("/admin/account/tokens/", given | {"scopes": ["everything"], "name": "no"})
    assert not AccessToken.objects.filter(name="no").exists()


@pytest.mark.parametrize("change", ["roles", "deactivation"])
def test_changed_roles_and_deactivation_end_tokens(
    admin_client: Client, person: Callable[..., User], change: str
) -> None:
    olga = person("olga", "Operator")
    row, _ = AccessToken.objects.issue(olga, "laptop")

    if change == "roles":
        stepping(set_roles)(olga, ["Viewer"], by="amir")
    else:
        admin_client.post("/admin/auth/user/", {"action": "deactivate", "_selected_action": [olga.pk]})

    row.refresh_from_db()
    assert row.revoked_at is not None


def test_a_newer_hash_of_the_same_password_ends_no_token(
    person: Callable[..., User], sign_in: Callable[..., object], settings
) -> None:
    vera = person("vera", "Viewer")
    clear = make(vera, "laptop", 30, [], None)
    stored, settings.PASSWORD_HASHERS = vera.password, settings_fixed.PASSWORD_HASHERS + settings.PASSWORD_HASHERS

    sign_in("vera")

    assert User.objects.get().password != stored
    assert owner(clear) == vera
