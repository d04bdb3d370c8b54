"""Roles are given and taken one by one: on the person's page, with an invitation, at the shell; all approvers hear."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings

from ledger.models import Entry
from ledger.registry import sentence_for
from operations import authority
from operations.accounts import SYSTEM
from operations.authority import VOTE, holds
from operations.models import AccessToken, Authenticator, Environment, Notification, RoleGrant
from operations.models.token_scopes import SCOPES
from sampelit_ops.roles import ROLES
from sampelit_ops.signin.role_changes import set_roles
from tests.sampelit_ops.signin.codes import code_of
from tests.stepping import SteppingClient


@pytest.fixture
def staging(db: None) -> Environment:
    return Environment.objects.create(slug="staging", name="Staging", kind="staging")


@pytest.fixture
def admin_client(person: Callable[..., User], settings: Settings) -> Client:
    settings.DEMO, settings.EMAIL_HOST = True, "smtp.example.com"
    client = SteppingClient()
    client.force_login(person("amir", "Admin"))
    return client


def _save(client: Client, someone: User, *roles: str) -> str:
    given = {"email": someone.email, "roles": roles}
    return client.post(f"/admin/auth/user/{someone.pk}/change/", given, follow=True).content.decode()


def _shell(by: User, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    monkeypatch.setenv("OPS_TOKEN", AccessToken.objects.issue(by, "laptop", scopes=SCOPES)[1])
    out = StringIO()
    try:
        call_command("roles", *arguments, stdout=out)
    except CommandError as refused:
        return refused.returncode, str(refused)
    return 0, out.getvalue()


def test_a_page_gives_and_takes_a_role_of_one_environment(
    admin_client: Client, person: Callable[..., User], staging: Environment, production: Environment
) -> None:
    ada, vera = person("ada", "Approver"), person("vera", "Viewer")

    _save(admin_client, vera, "Viewer", "Approver@staging")
    vera = User.objects.get(pk=vera.pk)
    assert [holds(vera, VOTE, place) for place in (staging, production, None)] == [True, False, False]
    _save(admin_client, vera, "Viewer")

    assert authority.roles(vera) == ["Viewer"]
    entries = Entry.objects.filter(code__startswith="signin.role_").order_by("sequence")
    assert [(entry.subject, entry.environment, entry.payload) for entry in entries] == [
        ("vera", "staging", {"role": "Approver"}),
        ("vera", "staging", {"role": "Approver"}),
    ]
    assert list(map(sentence_for, entries)) == [
        "amir made vera Approver on staging",
        "amir took from vera: Approver on staging",
    ]
    given, taken = Notification.objects.filter(subject="amir changed the roles of vera").order_by("pk")
    assert (given.body, taken.body) == ("Given: Approver on staging.", "Taken: Approver on staging.")
    assert given.recipients.split() == [ada.email]
    assert taken.recipients.split() == [ada.email, vera.email]


def test_the_person_is_shown_with_what_they_hold(
    admin_client: Client, person: Callable[..., User], staging: Environment
) -> None:
    stella = person("stella")
    set_roles(stella, ["Operator@staging", "Viewer"], by=SYSTEM)

    shown = admin_client.get(f"/admin/auth/user/{stella.pk}/change/").content.decode()
    listed = admin_client.get("/admin/auth/user/?role=Operator").content.decode()

    assert all(f'value="{role}"' in shown for role in ("Operator@staging", "Approver@staging", "Viewer"))
    assert 'value="Viewer@staging"' not in shown
    assert shown.count(" checked") == 2
    assert "Viewer, Operator on staging" in listed


def test_an_invitation_as_approver_is_told_to_every_approver(
    admin_client: Client, person: Callable[..., User], staging: Environment
) -> None:
    ada, ben = person("ada", "Approver"), person("ben")
    set_roles(ben, ["Approver@staging"], by=SYSTEM)
    Notification.objects.all().delete()

    given = {"username": "puppet", "email": "puppet@example.com", "roles": ["Approver@staging", "Operator"]}
    assert admin_client.post("/admin/auth/user/add/", given).status_code == 302

    message = Notification.objects.get(subject="amir changed the roles of puppet")
    assert message.recipients.split() == [ada.email, ben.email]
    assert message.body == "Given: Approver on staging, Operator everywhere."
    invited = Entry.objects.get(code="signin.invited")
    assert invited.payload == {"roles": ["Approver on staging", "Operator everywhere"]}
    assert Entry.objects.filter(code="signin.role_given", subject="puppet").count() == 2


@pytest.mark.parametrize("role", ["Owner", "Operator@nowhere", "Viewer@staging", "Auditor@staging", "Operator@"])
def test_what_is_no_role_is_refused_whole(
    admin_client: Client,
    person: Callable[..., User],
    staging: Environment,
    role: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vera, amir = person("vera", "Viewer"), User.objects.get(username="amir")

    page = _save(admin_client, vera, "Approver", role)
    code, said = _shell(amir, monkeypatch, "vera", "--give", "Approver", "--give", role)

    assert "is not one of the available choices" in page
    assert (code, "Nothing was changed" in said) == (2, True)
    assert authority.roles(vera) == ["Viewer"]
    assert not Entry.objects.filter(code__startswith="signin.role_").exists()


def test_the_shell_gives_and_takes_what_the_page_does(
    person: Callable[..., User],
    enrolled: Callable[..., Authenticator],
    staging: Environment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    device = enrolled("amir", "Admin")
    amir = device.user
    person("vera", "Viewer")

    answers = [
        _shell(amir, monkeypatch, "vera", "--give", "Operator@staging", "--take", "Viewer", "--code", code_of(device)),
        _shell(amir, monkeypatch, "vera"),
        _shell(amir, monkeypatch, "vera", "--take", "Admin"),
        _shell(amir, monkeypatch, "amir", "--give", "Approver"),
        _shell(amir, monkeypatch, "nobody"),
    ]

    assert [code for code, _ in answers] == [0, 0, 2, 2, 2]
    assert answers[0][1] == answers[1][1] == "Operator on staging\n"
    assert "Nobody changes their own roles" in answers[3][1]
    assert authority.roles(amir) == ["Admin"]
    assert list(Entry.objects.filter(code__startswith="signin.role_").values_list("actor", flat=True)) == ["amir"] * 2


@pytest.mark.parametrize("role", [role.name for role in ROLES if role.name != "Admin"] + ["Admin@staging"])
def test_only_an_admin_of_everything_changes_roles(
    person: Callable[..., User], staging: Environment, role: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    mallory, vera = person("mallory"), person("vera", "Viewer")
    set_roles(mallory, [role], by=SYSTEM)
    client.force_login(mallory)

    page = client.post(f"/admin/auth/user/{vera.pk}/change/", {"email": vera.email, "roles": ["Admin"]})
    code, _ = _shell(mallory, monkeypatch, "vera", "--give", "Admin")

    assert (page.status_code in (302, 403), code) == (True, 2)
    assert authority.roles(vera) == ["Viewer"]


def test_a_role_on_one_environment_ends_the_session_and_needs_a_second_factor(
    person: Callable[..., User], staging: Environment, client: Client, settings: Settings
) -> None:
    stella = person("stella", "Viewer")
    client.force_login(stella)
    assert client.get("/admin/").status_code == 200

    RoleGrant.objects.create(person=stella, role=Group.objects.get(name="Operator"), environment=staging)

    assert client.get("/admin/").headers["Location"].startswith("/admin/login/")
    client.force_login(stella)
    assert client.get("/admin/").headers["Location"] == "/admin/account/second-factor/"
