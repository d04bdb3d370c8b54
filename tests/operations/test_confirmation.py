"""A second admin confirms a new approver: who may, when it counts, what is written and told."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from ledger.models import Entry
from ledger.registry import sentence_for
from ledger.services import record
from operations import doctor
from operations.approvals.confirmation import why_not_confirm
from operations.models import AccessToken, Environment, Notification, RoleGrant
from operations.models.token_scopes import SCOPES
from operations.votes.standing import CONFIRMED, standing
from providers.errors import Refused
from sampelit_ops.roles import sync_roles
from tests.sampelit_ops.signin.codes import code_of
from tests.stepping import SteppingClient, approve, authenticator, confirm

pytestmark = pytest.mark.django_db


def person(username: str, role: str, by: str, **more: object) -> User:
    """Somebody whom `by` invited into a role just now."""
    made = User.objects.create_user(username, f"{username}@example.com", is_staff=True)
    made.groups.add(Group.objects.get(name=role))
    record("signin.role_given", actor=by, subject=username, data={"role": role})
    return made


@pytest.fixture
def admins(db: None) -> dict[str, User]:
    """Two admins of old, and one whom the first made today."""
    sync_roles()
    known = {name: ["Admin"] for name in ("amir", "anna")}
    record("operations.voters_known", actor="system", data={"people": known})
    made = {name: person(name, "Admin", "amir") for name in ("puppet", "third")}
    for name in known:
        made[name] = User.objects.create_user(name, f"{name}@example.com", is_staff=True)
        made[name].groups.add(Group.objects.get(name="Admin"))
    return made


@pytest.fixture
def nina(admins: dict[str, User]) -> User:
    return person("nina", "Approver", "amir")


def test_another_admin_confirms_and_everybody_hears(admins, nina, ask):
    ada = person("ada", "Approver", "anna")
    operation = ask("rehearsal.sensitive")

    confirm(nina, by=admins["anna"])

    assert approve(operation, by=nina).status == "queued"
    entry = Entry.objects.get(code=CONFIRMED)
    assert (entry.actor, entry.subject, entry.payload["roles"]) == ("anna", "nina", ["Approver"])
    assert "anna confirmed nina as an approver" in sentence_for(entry)
    message = Notification.objects.get(subject__startswith="anna confirmed nina")
    assert "count from now on" in message.body
    assert why_not_confirm(ada, admins["anna"]).startswith("You had a hand in")


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        ("amir", "You had a hand in making nina an approver"),
        ("puppet", "Only who has been an admin for a day confirms others"),
        ("nina", "Only admins confirm approvers"),
        ("olga", "Only admins confirm approvers"),
    ],
)
def test_others_do_not(admins, nina, operator, by, reason):
    acting = User.objects.get(username=by)

    with pytest.raises(PermissionDenied, match=reason):
        confirm(nina, by=acting)

    assert not Entry.objects.filter(code=CONFIRMED).exists()
    assert Entry.objects.filter(code="operations.refused", actor=by, subject=CONFIRMED).exists()


def test_nobody_confirms_themselves(admins):
    admins["anna"].groups.add(Group.objects.get(name="Approver"))

    assert why_not_confirm(admins["anna"], User.objects.get(username="anna")) == "Another admin confirms you."


def test_hands_add_up_until_the_role_ends(admins, nina):
    """Given by amir, started over by anna: neither confirms; given anew, whoever gave it does not."""
    record("signin.second_factor_removed", actor="anna", subject="nina")
    for name in ("amir", "anna"):
        assert "had a hand" in why_not_confirm(nina, admins[name])

    record("signin.role_taken", actor="amir", subject="nina", data={"role": "Approver"})
    record("signin.role_given", actor="amir", subject="nina", data={"role": "Approver"})

    assert why_not_confirm(nina, admins["anna"]) == ""


def test_a_confirmation_is_for_the_roles_held_then(admins):
    """Confirmed for staging; a role on production afterwards begins anew."""
    production, staging = (Environment.objects.create(slug=slug, name=slug) for slug in ("production", "staging"))
    nina = User.objects.create_user("nina", is_staff=True)
    for place, by in ((staging, "amir"), (production, "amir")):
        RoleGrant.objects.create(person=nina, role=Group.objects.get(name="Approver"), environment=place)
        record("signin.role_given", actor=by, environment=place.slug, subject="nina", data={"role": "Approver"})
        if place == staging:
            confirm(nina, by=admins["anna"])

    on = {place.slug: standing("nina", frozenset({f"Approver@{place.slug}"})) for place in (production, staging)}

    assert (on["staging"].settled, on["production"].settled) == (True, False)


def test_a_role_without_an_entry_is_confirmed_too(admins, ask):
    """Made by SQL, or by another SECRET_KEY: somebody looks at it and says so."""
    sara = User.objects.create_user("sara", is_staff=True)
    sara.groups.add(Group.objects.get(name="Approver"))
    operation = ask("rehearsal.sensitive")
    with pytest.raises(Refused, match="does not say who made sara an approver"):
        approve(operation, by=sara)

    confirm(sara, by=admins["anna"])

    assert approve(operation, by=sara).status == "queued"


def test_entries_of_another_key_say_nothing(admins, nina, settings):
    settings.SHARED_KEY, key = "another-key-" + "x" * 50, settings.SHARED_KEY
    assert standing("amir", frozenset({"Admin"})) is None

    settings.SHARED_KEY_FALLBACKS = [key]

    assert standing("amir", frozenset({"Admin"})).settled


def test_from_the_people_page(admins, nina):
    client = SteppingClient()
    client.force_login(admins["anna"])

    client.post(reverse("admin:auth_user_changelist"), {"action": "confirm_approver", "_selected_action": [nina.pk]})

    assert standing("nina", frozenset({"Approver"})).confirmed


@pytest.mark.parametrize(("by", "code"), [("anna", None), ("amir", 2)])
def test_from_the_shell(admins, nina, monkeypatch, by, code):
    monkeypatch.setenv("OPS_TOKEN", AccessToken.objects.issue(admins[by], "laptop", scopes=SCOPES)[1])
    ended = None
    try:
        code_now = code_of(authenticator(admins[by]))
        call_command("confirm_approver", "nina", "--code", code_now, stdout=StringIO(), stderr=StringIO())
    except CommandError as refused:
        ended = refused.returncode

    assert ended == code
    assert standing("nina", frozenset({"Approver"})).confirmed is (code is None)


@pytest.mark.usefixtures("one_clock")
def test_the_doctor_names_who_does_not_count_yet(admins, nina, time_machine):
    def found() -> tuple[str, bool]:
        check = next(check for check in doctor.run(only="new approvers"))
        return check.tone, "nina" in check.found

    assert found() == ("warn", True)

    time_machine.move_to(timezone.now() + timedelta(hours=24, seconds=1))

    assert found() == ("ok", False)
