"""Invitations, the first admin, role changes and personal tokens; and what an Admin can not do."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from ledger.models import Entry
from ledger.registry import sentence_for
from operations.accounts import MACHINES
from operations.models import AccessToken, Authenticator, Notification
from operations.tokens.use import owner
from tests.sampelit_ops.signin.codes import PASSWORD
from tests.stepping import SteppingClient

LONG_AGO = timezone.now() - timedelta(days=99)


@pytest.fixture
def admin_client(person: Callable[..., User], settings: Settings) -> Client:
    settings.DEMO, settings.EMAIL_HOST = True, "smtp.example.com"
    client = SteppingClient()
    client.force_login(person("amir", "Admin"))
    return client


def _first_admin(*args: str) -> str:
    out = StringIO()
    call_command("first_admin", *args, stdout=out, stderr=StringIO())
    return out.getvalue().strip()


def _follow(client: Client, link: str, password: str = PASSWORD) -> int:
    path = re.sub(r"^https?://[^/]+", "", link)
    form = client.get(path, follow=True)
    if not form.context["validlink"]:
        return 410
    return client.post(form.request["PATH_INFO"], {"new_password1": password, "new_password2": password}).status_code


def test_first_admin_link_works_once(db: None, client: Client) -> None:
    link = _first_admin("--email", "amir@example.com")

    assert _follow(client, link) == 302
    amir = User.objects.get(username="amir")
    assert amir.check_password(PASSWORD)
    assert [group.name for group in amir.groups.all()] == ["Admin"]
    assert not amir.is_superuser
    assert client.get("/admin/")["Location"] == "/admin/account/second-factor/"
    assert _follow(Client(), link) == 410


def test_first_admin_is_refused_once_there_is_one(db: None, client: Client) -> None:
    _follow(client, _first_admin("--email", "amir@example.com"))

    with pytest.raises(CommandError) as stopped:
        _first_admin("--email", "mallory@example.com")

    assert stopped.value.returncode == 2
    assert not User.objects.filter(username="mallory").exists()


def test_first_admin_needs_an_address(db: None) -> None:
    with pytest.raises(CommandError):
        _first_admin("--email", "nonsense")


@pytest.mark.parametrize("password", ["short", "password1234"])
def test_weak_passwords_are_refused(db: None, client: Client, password: str) -> None:
    assert _follow(client, _first_admin("--email", "amir@example.com"), password) == 200


def test_invitation(admin_client: Client, django_capture_on_commit_callbacks: Callable[..., object]) -> None:
    given = {"username": "nina", "first_name": "Nina", "last_name": "New", "email": "nina@example.com"}

    with django_capture_on_commit_callbacks(execute=True):
        response = admin_client.post("/admin/auth/user/add/", {**given, "roles": ["Operator"]})

    assert response.status_code == 302
    nina = User.objects.get(username="nina")
    assert not nina.has_usable_password()
    assert [group.name for group in nina.groups.all()] == ["Operator"]
    assert Entry.objects.get(code="signin.invited").payload == {"roles": ["Operator everywhere"]}
    link = re.search(r"http\S+", mail.outbox[0].body).group()
    assert _follow(Client(), link) == 302


@pytest.mark.parametrize("name", [*MACHINES, "System", "RENDER", "sys.tem", "rеnder"])
def test_nobody_takes_a_machines_name(admin_client: Client, name: str) -> None:
    given = {"username": name, "email": "nina@example.com", "roles": ["Admin"]}

    shown = admin_client.post("/admin/auth/user/add/", given).content.decode()
    with pytest.raises(CommandError) as stopped:
        _first_admin("--email", f"{name}@example.com")

    assert "Nobody was made; choose another name" in shown
    assert stopped.value.returncode == 2
    assert not User.objects.filter(username=name).exists()


def test_invitation_without_a_mail_server(admin_client: Client, settings: Settings) -> None:
    settings.EMAIL_HOST = ""
    given = {"username": "nina", "email": "nina@example.com", "roles": ["Viewer"]}

    shown = admin_client.post("/admin/auth/user/add/", given, follow=True).content.decode()

    assert mail.outbox == []
    assert _follow(Client(), re.search(r"http://\S+/admin/account/welcome/[^\s<]+", shown).group()) == 302
    entry = Entry.objects.get(code="signin.link_shown")
    assert sentence_for(entry) == "amir was shown the one-time link of nina: no mail server is set"
    assert not Entry.objects.filter(code="signin.link_sent").exists()
    assert "welcome" not in entry.data


def _readdress(admin_client: Client, someone: User, email: str) -> None:
    given = {"email": email, "roles": [group.name for group in someone.groups.all()]}
    admin_client.post(f"/admin/auth/user/{someone.pk}/change/", given)


def test_a_changed_address_is_recorded_and_told(admin_client: Client, person: Callable[..., User]) -> None:
    ada, vera = person("ada", "Approver"), person("vera", "Viewer")

    _readdress(admin_client, vera, "mallory@example.com")

    entry = Entry.objects.get(code="signin.contact_changed")
    assert (entry.actor, entry.subject) == ("amir", "vera")
    assert entry.payload == {"before": "vera@example.com", "after": "mallory@example.com"}
    assert sentence_for(entry) == "amir changed the address of vera from vera@example.com to mallory@example.com"
    message = Notification.objects.get()
    assert message.recipients.split() == [ada.email, "vera@example.com"]
    assert "mallory@example.com" in message.body


def test_an_unchanged_address_is_silent(admin_client: Client, person: Callable[..., User]) -> None:
    vera = person("vera", "Viewer")

    _readdress(admin_client, vera, vera.email)

    assert not Entry.objects.filter(code="signin.contact_changed").exists()
    assert not Notification.objects.exists()


def test_an_admin_cannot_make_superusers_or_set_passwords(admin_client: Client, person: Callable[..., User]) -> None:
    vera = person("vera", "Viewer")
    given = {
        "first_name": "V",
        "last_name": "V",
        "email": "v@example.com",
        "roles": ["Admin"],
    }

    admin_client.post(
        f"/admin/auth/user/{vera.pk}/change/",
        {**given, "is_superuser": "on", "user_permissions": ["1"], "password": "x", "username": "mallory"},
    )

    vera.refresh_from_db()
    assert (vera.username, vera.is_superuser, vera.user_permissions.count()) == ("vera", False, 0)
    assert vera.check_password(PASSWORD)
    assert admin_client.get(f"/admin/auth/user/{vera.pk}/password/").status_code in (302, 404)
    assert admin_client.get(f"/admin/auth/user/{vera.pk}/delete/").status_code == 403
    assert Entry.objects.get(code="signin.role_taken").payload == {"role": "Viewer"}
    assert Entry.objects.get(code="signin.role_given").payload == {"role": "Admin"}
    assert Entry.objects.get(code="signin.details_changed").payload["email"] == "v@example.com"
    assert Notification.objects.filter(subject="amir changed the roles of vera").exists()


def test_nobody_changes_their_own_roles(admin_client: Client) -> None:
    amir = User.objects.get(username="amir")
    given = {"first_name": "A", "last_name": "A", "email": "a@example.com"}

    admin_client.post(f"/admin/auth/user/{amir.pk}/change/", {**given, "roles": ["Operator"]})

    assert [group.name for group in amir.groups.all()] == ["Admin"]


def test_starting_over_ends_sessions_and_drops_the_device(
    admin_client: Client,
    enrolled: Callable[..., Authenticator],
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:
    olga = enrolled("olga", "Operator").user
    hers = Client()
    hers.force_login(olga)

    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post("/admin/auth/user/", {"action": "start_over", "_selected_action": [olga.pk]})

    assert not Authenticator.objects.filter(user=olga).exists()
    assert hers.get("/admin/account/tokens/").status_code == 302
    assert len(mail.outbox) == 1
    assert Entry.objects.filter(code="signin.link_sent", subject="olga").exists()


def test_whoever_is_chosen_is_deactivated_or_activated_and_nobody_else(
    admin_client: Client, person: Callable[..., User]
) -> None:
    olga, vera = person("olga", "Operator"), person("vera", "Viewer")

    for action, active in (("deactivate", False), ("activate", True)):
        for _ in range(2):
            admin_client.post("/admin/auth/user/", {"action": action, "_selected_action": [olga.pk]})
        assert dict(User.objects.filter(pk__in=[olga.pk, vera.pk]).values_list("username", "is_active")) == {
            "olga": active,
            "vera": True,
        }

    told = Entry.objects.filter(code__startswith="signin.user_").order_by("sequence").values_list("code", "subject")
    assert list(told) == [("signin.user_deactivated", "olga"), ("signin.user_activated", "olga")]


def test_starting_over_revokes_every_token(
    admin_client: Client, person: Callable[..., User], settings: Settings
) -> None:
    settings.EMAIL_HOST = ""
    olga, vera = person("olga", "Operator"), person("vera", "Viewer")
    _, stolen = AccessToken.objects.issue(olga, "laptop")
    _, others = AccessToken.objects.issue(vera, "desk")
    lost, _ = AccessToken.objects.issue(olga, "lost long ago")
    AccessToken.objects.filter(pk=lost.pk).update(revoked_at=LONG_AGO)

    admin_client.post("/admin/auth/user/", {"action": "start_over", "_selected_action": [olga.pk]})

    assert owner(stolen) is None
    assert owner(others) == vera
    assert AccessToken.objects.get(pk=lost.pk).revoked_at == LONG_AGO
    assert sentence_for(Entry.objects.get(code="signin.tokens_revoked")).endswith(
        "revoked the personal tokens of olga: laptop because the sign-in starts over"
    )
    assert Entry.objects.filter(code="signin.link_shown", actor="amir", subject="olga").exists()
    assert not Entry.objects.filter(code="signin.link_sent").exists()


def test_tokens(admin_client: Client) -> None:
    shown = admin_client.post("/admin/account/tokens/", {"name": "laptop", "days": 30}).content.decode()

    clear = re.search(r"opst_[\w-]+", shown).group()
    token = AccessToken.objects.get()
    assert owner(clear).username == "amir"
    assert clear not in admin_client.get("/admin/account/tokens/").content.decode()
    assert not any(clear in entry.data for entry in Entry.objects.all())
    admin_client.post(f"/admin/account/tokens/{token.pk}/revoke/")
    assert owner(clear) is None
    assert Entry.objects.filter(code="signin.token_revoked").exists()


def test_a_token_is_revoked_once_and_alone(admin_client: Client) -> None:
    for name in ("laptop", "desk"):
        admin_client.post("/admin/account/tokens/", {"name": name, "days": 30})
    token = AccessToken.objects.get(name="laptop")

    admin_client.post(f"/admin/account/tokens/{token.pk}/revoke/")
    first = AccessToken.objects.get(pk=token.pk).revoked_at
    admin_client.post(f"/admin/account/tokens/{token.pk}/revoke/")

    assert AccessToken.objects.get(pk=token.pk).revoked_at == first
    assert AccessToken.objects.get(name="desk").revoked_at is None
    assert Entry.objects.filter(code="signin.token_revoked").count() == 1


@pytest.mark.parametrize("days", ["0", "91", "x", ""])
def test_tokens_must_expire_soon(admin_client: Client, days: str) -> None:
    admin_client.post("/admin/account/tokens/", {"name": "laptop", "days": days})

    assert not AccessToken.objects.exists()


def test_somebody_elses_token_is_not_found(admin_client: Client, person: Callable[..., User]) -> None:
    token, _ = AccessToken.objects.issue(person("vera", "Viewer"), "hers")

    assert admin_client.post(f"/admin/account/tokens/{token.pk}/revoke/").status_code == 404
