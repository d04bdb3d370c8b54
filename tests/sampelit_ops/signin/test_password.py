"""One's own new password: in the ledger, and the end of what the old one let in; what it costs to try one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.test import Client

from ledger.models import Entry
from operations.models import AccessToken
from operations.tokens.use import owner
from sampelit_ops import settings_fixed
from sampelit_ops.signin.invitations import link_for
from tests.sampelit_ops.signin.codes import PASSWORD

NEW = "another-long-sentence-42"


def _change(client: Client, old: str = PASSWORD, new: str = NEW) -> int:
    given = {"old_password": old, "new_password1": new, "new_password2": new}
    return client.post("/admin/password_change/", given).status_code


def test_a_changed_password_ends_tokens_and_other_sessions(person: Callable[..., User], client: Client) -> None:
    vera = person("vera", "Viewer")
    thief = Client()
    client.force_login(vera)
    thief.force_login(vera)
    _, clear = AccessToken.objects.issue(vera, "laptop")
    _, others = AccessToken.objects.issue(person("ada", "Viewer"), "hers")

    assert _change(client) == 302

    assert owner(clear) is None
    assert owner(others) is not None
    assert client.get("/admin/records/").status_code == 200
    assert thief.get("/admin/records/").status_code == 302
    codes = Entry.objects.filter(actor="vera").order_by("sequence").values_list("code", flat=True)
    assert list(codes) == ["signin.password_changed", "signin.tokens_revoked"]


def test_a_refused_password_changes_nothing(person: Callable[..., User], client: Client) -> None:
    vera = person("vera", "Viewer")
    client.force_login(vera)
    _, clear = AccessToken.objects.issue(vera, "laptop")

    assert _change(client, old="wrong") == 200
    assert _change(client, new="short") == 200

    assert owner(clear) == vera
    assert set(Entry.objects.filter(actor="vera").values_list("code", flat=True)) == {"signin.token_used"}


def test_a_password_by_link_ends_tokens_too(person: Callable[..., User], client: Client) -> None:
    vera = person("vera", "Viewer")
    _, clear = AccessToken.objects.issue(vera, "laptop")
    form = client.get(link_for(vera), follow=True).request["PATH_INFO"]

    client.post(form, {"new_password1": NEW, "new_password2": NEW})

    assert Entry.objects.filter(code="signin.password_set", actor="vera").exists()
    assert owner(clear) is None


@pytest.fixture
def kept_hashers(settings: Any) -> Iterator[None]:
    """The hashers of production, which the tests' cheap one replaces."""
    settings.PASSWORD_HASHERS = settings_fixed.PASSWORD_HASHERS
    hashers.get_hashers.cache_clear()
    yield
    hashers.get_hashers.cache_clear()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["vera", "nobody", "never signed in"])
@pytest.mark.parametrize("length", [10, 16_384])
def test_a_tried_password_costs_little(
    kept_hashers: None, person: Callable[..., User], client: Client, name: str, length: int
) -> None:
    person("vera", "Viewer").set_password(PASSWORD)
    User.objects.create(username="never signed in")
    client.get("/admin/login/")
    began = time.process_time()

    answer = client.post("/admin/login/", {"username": name, "password": "x" * length})

    assert time.process_time() - began < 0.15
    assert answer.status_code == 200


@pytest.mark.django_db
def test_a_password_that_was_kept_dearly_still_opens(kept_hashers: None) -> None:
    user = User(username="vera", password=make_password(PASSWORD, hasher="pbkdf2_sha256"))
    user.save()

    assert user.check_password(PASSWORD)
    assert user.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert user.check_password(PASSWORD)
