"""Whoever has a passkey for a day votes by it on what is grave: enrolled, replaced, removed, known only since later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ledger import authenticity
from ledger.models import Entry
from ledger.registry import sentence_for
from ledger.services import record
from operations import doctor
from operations.approvals import voting
from operations.factors import devices, enrolments
from operations.factors import passkeys as portal
from operations.factors.acts import about
from operations.factors.step_up import StepUpNeeded, prove
from operations.models import Notification, Operation, Passkey
from operations.notify.rules import sweep
from operations.votes.judge import judge
from operations.web.step_up import ASKS
from tests import passkeys
from tests.passkeys import APPROVE, HERE
from tests.sampelit_ops.signin.codes import code_of
from tests.soft_authenticator import SoftAuthenticator

pytestmark = pytest.mark.django_db(transaction=True)
YOUNG = timedelta(hours=2)


@pytest.fixture(autouse=True)
def ours(settings: Any, db: None) -> Iterator[None]:
    settings.PASSKEY_ORIGIN, settings.PASSKEY_RP_ID = "http://localhost:8000", "localhost"
    authenticity.forget()
    yield
    authenticity.forget()


@pytest.fixture
def waiting(ask: Callable[..., Operation]) -> Operation:
    return ask("rehearsal.destructive")


def why_not(operation: Operation) -> list[str]:
    return [one.why_not for one in judge(operation, [operation.environment])]


def by_code(operation: Operation, person: User) -> Operation:
    device = devices.confirmed(person) or devices.enrol(person)
    prove(person, about(APPROVE, operation), code_of(device, 1))
    return voting.approve(operation, by=person)


def test_a_code_is_not_enough_for_whoever_has_a_passkey(waiting: Operation, approver: User) -> None:
    passkeys.enrol(approver)
    with pytest.raises(StepUpNeeded, match="counts only with the signature of your passkey; no code replaces it"):
        by_code(waiting, approver)
    assert not waiting.approvals.exists()


def test_a_code_is_enough_while_the_passkey_is_young(waiting: Operation, approver: User) -> None:
    key = passkeys.enrol(approver, ago=YOUNG)
    by_code(waiting, approver)
    assert why_not(waiting) == [""]
    assert key.count == 0


def test_a_vote_by_code_counts_on_although_the_passkey_came_of_age(waiting: Operation, approver: User) -> None:
    passkeys.enrol(approver, ago=YOUNG)
    by_code(waiting, approver)
    with time_machine.travel(timezone.now() + timedelta(hours=30)):
        assert why_not(waiting) == [""]


@pytest.mark.usefixtures("one_clock")
def test_where_it_is_required_a_young_one_counts_after_a_day(waiting: Operation, approver: User, settings: Any) -> None:
    settings.OPS_PASSKEY_VOTES = 1
    key = passkeys.enrol(approver, ago=YOUNG)
    with pytest.raises(StepUpNeeded, match="no code replaces it"):
        by_code(waiting, approver)
    passkeys.approve(waiting, by=approver, key=key)
    assert "The passkey of ada was enrolled at" in why_not(waiting)[0]
    with time_machine.travel(timezone.now() + timedelta(hours=23)):
        assert why_not(waiting) == [""]


def test_votes_that_were_given_before_it_was_required_are_given_again(
    waiting: Operation, approver: User, settings: Any
) -> None:
    by_code(waiting, approver)
    settings.OPS_PASSKEY_VOTES = 1
    assert why_not(waiting) == ["ada decided without a passkey; on this only a passkey's signature counts."]
    key = passkeys.enrol(approver)
    passkeys.approve(waiting, by=approver, key=key)
    assert why_not(waiting) == [""]


def test_what_is_not_grave_needs_none(ask: Callable[..., Operation], approver: User) -> None:
    passkeys.enrol(approver)
    assert voting.approve(ask("rehearsal.sensitive"), by=approver).status == "queued"


@pytest.mark.parametrize("hours", [0, 23, 25])
def test_a_removed_one_signs_nothing_and_binds_for_a_day(waiting: Operation, approver: User, hours: int) -> None:
    """Whoever could write its removal shall not vote without it at once."""
    passkeys.approve(waiting, by=approver, key=passkeys.enrol(approver))
    passkeys.age(passkeys.remove(approver), timedelta(hours=hours))
    assert hours > 24 or why_not(waiting) == ["The passkey by which ada signed was removed."]
    voting.revoke(waiting, by=approver)
    if hours < 24:
        with pytest.raises(StepUpNeeded, match="no code replaces it"):
            by_code(waiting, approver)
    else:
        by_code(waiting, approver)
        assert why_not(waiting) == [""]


def test_one_that_replaces_it_counts_after_a_day_of_its_own(waiting: Operation, approver: User) -> None:
    passkeys.enrol(approver)
    passkeys.remove(approver)
    key = passkeys.enrol(approver, ago=YOUNG)
    passkeys.approve(waiting, by=approver, key=key)
    assert "The passkey of ada was enrolled at" in why_not(waiting)[0]


def test_a_second_one_is_as_good_once_it_is_a_day_old(waiting: Operation, approver: User) -> None:
    passkeys.enrol(approver)
    key = passkeys.enrol(approver, ago=timedelta(days=3))
    passkeys.approve(waiting, by=approver, key=key)
    assert why_not(waiting) == [""]


def test_a_sign_in_that_starts_over_retires_them(approver: User) -> None:
    passkeys.enrol(approver)
    record(enrolments.STARTED_OVER, actor="amir", subject="ada")
    (key,) = enrolments.enrolments(["ada"])["ada"]
    assert key.binds(timezone.now())
    assert not key.signs(timezone.now())


def test_one_from_before_the_ledger_held_keys_is_written_down_when_it_is_used(approver: User) -> None:
    key = SoftAuthenticator()
    portal.register(approver, HERE, key.register(portal.registration(approver, HERE, [])), "laptop")
    record(enrolments.ADDED, actor="ada", subject="laptop")
    assert enrolments.enrolments(["ada"]) == {"ada": []}
    for _ in range(2):
        portal.verify(approver, HERE, portal.SIGN_IN, key.sign(portal.request(approver, HERE, portal.SIGN_IN)))
    assert [each.credential for each in enrolments.enrolments(["ada"])["ada"]] == [key.credential.hex()]
    entry = Entry.objects.get(code=enrolments.KNOWN)
    assert sentence_for(entry) == "The passkey laptop of ada was written down: what it signs counts a day later"


def test_its_owner_and_the_approvers_hear_of_it_from_a_worker(approver: User, settings: Any) -> None:
    settings.NOTIFY_EMAILS = ["team@example.com"]
    passkeys.enrol(approver, ago=YOUNG)
    passkeys.enrol(approver, ago=timedelta(days=2))
    for _ in range(2):
        sweep()
    told = Notification.objects.filter(dedupe_key__startswith="authority:")
    assert [row.subject for row in told if "passkey" in row.subject] == ["ada enrolled the passkey laptop"]


def test_the_page_offers_the_passkey_alone(waiting: Operation, approver: User, client: Client) -> None:
    passkeys.enrol(approver)
    devices.enrol(approver)
    client.force_login(approver)
    url = reverse("admin:operations_act", args=[waiting.pk, "approve"])
    page = client.post(url, {"typed": voting.typed_for(waiting)})
    assert (page.status_code, page.context["has_codes"], bool(page.context["options"])) == (ASKS, False, True)
    Passkey.objects.all().delete()
    page = client.post(url, {"typed": voting.typed_for(waiting)})
    assert "This counts only with a passkey, and you have none." in page.content.decode()


def test_the_shell_says_that_it_has_none(waiting: Operation, approver: User, monkeypatch: Any) -> None:
    passkeys.enrol(approver)
    device = devices.enrol(approver)
    monkeypatch.setattr("operations.cli.actor", lambda *_, **__: approver)
    typed = ["--confirm", voting.typed_for(waiting), "--code", code_of(device)]
    with pytest.raises(CommandError, match=r"The shell has no passkey: do it on the portal's page\."):
        call_command("ops", "approve", waiting.pk, *typed)
    assert not waiting.approvals.exists()


@pytest.mark.parametrize(("required", "tone"), [(0, "idle"), (1, "ok"), (2, "warn"), (3, "bad")])
def test_the_doctor_counts_who_can_sign(
    approver: User, approver2: User, settings: Any, required: int, tone: str
) -> None:
    settings.OPS_PASSKEY_VOTES = required
    for person in (approver, approver2):
        passkeys.enrol(person)
    settings.DEMO = True
    (check,) = doctor.run(only="passkey_votes")
    assert (check.tone, "2 of 2 approvers can sign" in check.found) == (tone, True)
    settings.DEMO = False
    assert (doctor.run(only="passkey_votes")[0].tone == "warn") is (required in (0, 2))
