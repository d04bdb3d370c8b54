"""Votes are judged where they count: at the claim, by who the people are then and by what the portal itself wrote."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group, Permission, User
from django.utils import timezone

from ledger.models import Entry
from ledger.services import record
from operations.approvals import voting
from operations.approvals.voting import reevaluate
from operations.engine import kinds
from operations.models import Environment, Notification, Operation, RoleGrant
from operations.votes.judge import judge
from providers.errors import Refused
from tests.people import holder
from tests.running import run_once
from tests.stepping import approve, break_glass

pytestmark = pytest.mark.django_db(transaction=True)
PAST = "2020-01-01T00:00:00Z"


@pytest.fixture
def voted(ask, approver, approver2):
    """A destructive operation with both of its votes, queued."""
    operation = ask("rehearsal.destructive")
    for person in (approver, approver2):
        approve(operation, by=person)
    operation.refresh_from_db()
    assert operation.status == "queued"
    return operation


def started(operation: Operation) -> bool:
    run_once(operation)
    return operation.steps.exclude(status="pending").exclude(status="skipped").exists()


def permission_taken(person: User) -> None:
    person.user_permissions.remove(Permission.objects.get(codename="approve_operation"))


def deactivated(person: User) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)


def started_over(person: User) -> None:
    record("signin.second_factor_removed", actor="amir", subject=person.username)


def activated(person: User) -> None:
    record("signin.user_activated", actor="amir", subject=person.username)


def role_taken(person: User) -> None:
    record("signin.role_taken", actor="amir", subject=person.username, data={"role": "Approver"})


def roles_changed(person: User) -> None:
    record("signin.roles_changed", actor="amir", subject=person.username, data={"before": ["Approver"], "after": []})


def given_again(person: User) -> None:
    role_taken(person)
    record("signin.role_given", actor="amir", subject=person.username, data={"role": "Approver"})


LOSSES = {
    permission_taken: "ada may not vote on production any more",
    deactivated: "ada is deactivated",
    started_over: "ada became an approver at",
    activated: "ada became an approver at",
    role_taken: "The ledger does not say who made ada an approver",
    roles_changed: "The ledger does not say who made ada an approver",
    given_again: "ada became an approver at",
}


@pytest.mark.parametrize("lose", LOSSES, ids=lambda lose: lose.__name__)
def test_a_vote_whose_person_lost_the_right_sends_it_back(voted, approver, lose):
    lose(approver)

    assert not started(voted)

    assert voted.status == "awaiting_approval"
    assert "1 of 2 votes count." in voted.error
    assert LOSSES[lose] in voted.error
    assert Entry.objects.filter(code="operations.votes_missing", subject=voted.pk).count() == 1
    assert Notification.objects.get(subject__startswith="Votes are missing").body == voted.error


@pytest.mark.parametrize("lose", LOSSES, ids=lambda lose: lose.__name__)
def test_another_vote_sets_it_going_again(voted, approver, lose):
    lose(approver)
    run_once(voted)
    approve(voted, by=holder("carl", "approve_operation"))

    assert started(voted)

    assert (voted.status, voted.error) == ("succeeded", "")


def test_nothing_changes_between_the_claim_and_the_first_step(voted, approver, monkeypatch):
    """The right goes while the claim is checked: the transaction that begins the first step looks once more."""
    kind = kinds.get("rehearsal.destructive")
    monkeypatch.setattr(type(kind), "content", lambda *_: (deactivated(approver), b"")[1])

    assert not started(voted)

    assert voted.status == "expired"
    assert "ada is deactivated" in voted.error


def test_a_stricter_environment_waits_for_one_more_vote(voted, production):
    Environment.objects.filter(pk=production.pk).update(votes_destructive=3)
    assert not started(voted)
    assert "2 of 3 votes count" in voted.error
    reevaluate()
    voted.refresh_from_db()
    assert voted.status == "awaiting_approval"

    approve(voted, by=holder("carl", "approve_operation"))

    assert started(voted)


def test_requests_that_wait_keep_no_other_from_being_counted(ask, monkeypatch):
    asked, counted_again = {ask("rehearsal.destructive").pk for _ in range(3)}, set()
    monkeypatch.setattr(voting, "COUNTED_AT_ONCE", 1)
    monkeypatch.setattr(voting, "_count_again", lambda operation: counted_again.add(operation.pk))

    for _ in range(60):
        reevaluate()

    assert counted_again == asked


@pytest.mark.usefixtures("one_clock")
def test_a_new_approver_counts_after_a_day(ask):
    operation = ask("rehearsal.sensitive")
    nina = holder("nina", "operations.approve_operation")
    record("signin.invited", actor="amir", subject="nina", data={"roles": ["Approver"]})
    with pytest.raises(Refused, match="the votes count from"):
        approve(operation, by=nina)

    with time_machine.travel(timezone.now() + timedelta(hours=24, seconds=1)):
        assert approve(operation, by=nina).status == "queued"


def test_a_right_on_another_environment_is_another_right(ask, production):
    """An approver of staging for a year, who votes on production for an hour."""
    operation = ask("rehearsal.sensitive")
    nina = holder("nina")
    group = Group.objects.create(name="Approver")
    group.permissions.set(Permission.objects.filter(codename="approve_operation"))
    RoleGrant.objects.create(person=nina, role=group, environment=production)
    record("operations.approver_confirmed", actor="amir", subject="nina", data={"roles": ["Approver@staging"]})
    record("signin.role_given", actor="amir", environment="production", subject="nina", data={"role": "Approver"})

    with pytest.raises(Refused, match="nina became an approver at"):
        approve(operation, by=nina)


def test_a_lapsed_break_glass_changes_nothing(ask, operator, approver, approver2):
    operation = ask("rehearsal.destructive")
    approve(operation, by=approver)
    break_glass(operation, by=operator, reason="checkout is down")
    Operation.objects.filter(pk=operation.pk).update(break_glass_from=PAST, break_glass_until=PAST)
    run_once(operation)
    assert operation.status == "awaiting_approval"
    approve(operation, by=approver2)
    deactivated(approver)

    assert not started(operation)

    assert operation.status == "awaiting_approval"
    assert "1 of 2 votes count. ada is deactivated." in operation.error


def glass_person_left(person: User) -> None:
    person.user_permissions.remove(Permission.objects.get(codename="break_glass"))


def test_whoever_broke_the_glass_must_still_be_allowed_to(ask, operator, approver, approver2):
    rescuer = holder("rita", "break_glass")
    operation = break_glass(ask("rehearsal.destructive"), by=rescuer, reason="checkout is down")
    glass_person_left(rescuer)

    assert not started(operation)

    assert operation.status == "awaiting_approval"
    assert "rita, who broke the glass, may not do that any more" in operation.error


@pytest.mark.parametrize("glass", [False, True])
@pytest.mark.parametrize("loss", ["left", "demoted"])
def test_whoever_asked_must_still_be_allowed_to(ask, operator, approver, approver2, loss, glass):
    """Votes and a broken glass stand in for nobody who asked."""
    operation = ask("rehearsal.sensitive")
    if glass:
        break_glass(operation, by=holder("rita", "break_glass"), reason="checkout is down")
    else:
        approve(operation, by=approver)
    if loss == "left":
        deactivated(operator)
    else:
        operator.user_permissions.remove(Permission.objects.get(codename="run_rehearsal"))

    assert not started(operation)

    assert operation.status == "expired"
    assert f"olga, who requested it, {'is deactivated' if loss == 'left' else 'may not do so on production'}" in (
        operation.error
    )


def test_an_unknown_kind_does_not_stop_the_tick(ask, approver, monkeypatch):
    waiting = ask("rehearsal.sensitive")
    monkeypatch.delitem(kinds.registry.kinds, "rehearsal.sensitive")

    reevaluate()

    waiting.refresh_from_db()
    assert waiting.status == "awaiting_approval"


def test_a_page_says_whose_vote_does_not_count(voted, approver, client):
    deactivated(approver)
    client.force_login(holder("vera", "view_operation"))

    shown = client.get(f"/admin/operations/operation/{voted.pk}/change/").content.decode()

    assert "does not count: ada is deactivated." in shown
    assert [one.why_not for one in judge(voted, [voted.environment])] == ["ada is deactivated.", ""]
