"""One's own new password: in the ledger, and the end of sessions and tokens that the old one let in."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.models import User
from django.test import Client

from ledger.models import Entry
from operations.models import AccessToken
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

    assert AccessToken.objects.owner(clear) is None
    assert AccessToken.objects.owner(others) is not None
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

    assert AccessToken.objects.owner(clear) == vera
    assert not Entry.objects.filter(actor="vera").exists()


def test_a_password_by_link_ends_tokens_too(person: Callable[..., User], client: Client) -> None:
    vera = person("vera", "Viewer")
    _, clear = AccessToken.objects.issue(vera, "laptop")
    form = client.get(link_for(vera), follow=True).request["PATH_INFO"]

    client.post(form, {"new_password1": NEW, "new_password2": NEW})

    assert Entry.objects.filter(code="signin.password_set", actor="vera").exists()
    assert AccessToken.objects.owner(clear) is None
