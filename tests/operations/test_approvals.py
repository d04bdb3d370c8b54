"""Four eyes: by service, and by SQL that tries to cheat."""

from __future__ import annotations

import threading

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction

from ledger.models import Entry
from operations.approvals.voting import reevaluate, reject, revoke
from operations.engine.claim import claim
from operations.engine.run import run_operation
from operations.models import Approval, Operation, Task
from operations.votes.judge import counted
from providers.errors import Refused
from tests.stepping import approve, break_glass, close

pytestmark = pytest.mark.django_db(transaction=True)
ALL = frozenset({"export", "prove", "urgent"})


def test_two_votes_queue_a_destructive_operation(ask, approver, approver2):
    operation = ask("rehearsal.destructive")
    assert (operation.status, operation.approvals_required) == ("awaiting_approval", 2)

    assert approve(operation, by=approver).status == "awaiting_approval"
    with pytest.raises(Refused, match="voted already"):
        approve(operation, by=approver)
    assert approve(operation, by=approver2).status == "queued"

    run_operation(operation.pk, "test", ALL, end_process=lambda: None)
    operation.refresh_from_db()
    assert operation.status == "succeeded"


def test_the_requester_never_votes(ask, operator, approver):
    from django.contrib.auth.models import Permission

    operator.user_permissions.add(Permission.objects.get(codename="approve_operation"))
    with pytest.raises(PermissionDenied, match="You requested it"):
        approve(ask("rehearsal.destructive"), by=type(operator).objects.get(pk=operator.pk))
    assert Entry.objects.order_by("sequence").last().code == "operations.refused"


def test_a_rejection_ends_it_and_a_revocation_takes_it_back(ask, approver, approver2):
    operation = ask("rehearsal.sensitive")
    assert approve(operation, by=approver).status == "queued"
    assert revoke(operation, by=approver).status == "awaiting_approval"
    assert claim(operation.pk, "w") is None
    assert reject(operation, by=approver2, comment="not today").status == "rejected"
    with pytest.raises(Refused):
        approve(operation, by=approver)


def test_a_revocation_takes_back_ones_own_vote_on_this_operation_alone(ask, approver, approver2):
    operation, other = ask("rehearsal.destructive"), ask("rehearsal.destructive", key="other")
    for voter, what in ((approver, operation), (approver2, operation), (approver, other)):
        approve(what, by=voter)

    revoke(operation, by=approver)

    assert [len(counted(row, [row.environment])) for row in (operation, other)] == [1, 1]
    with pytest.raises(Refused, match="no vote here"):
        revoke(operation, by=approver)


def test_a_rejection_is_no_vote_to_take_back(ask, approver):
    operation = ask("rehearsal.destructive")
    identity = {"requested_by": operation.requested_by, "content_sha256": operation.content_sha256}
    Approval.objects.create(operation=operation, approved_by=approver, decision="reject", **identity)

    with pytest.raises(Refused, match="no vote here"):
        revoke(operation, by=approver)

    assert Approval.objects.get().revoked_at is None


def test_sql_cannot_cheat(ask, operator, approver):
    operation = ask("rehearsal.destructive")
    good = {
        "operation": operation,
        "requested_by": operator,
        "content_sha256": operation.content_sha256,
        "approved_by": approver,
        "decision": "approve",
    }
    for lie in (
        {"approved_by": operator},
        {"requested_by": approver, "approved_by": operator},
        {"content_sha256": "0" * 64},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Approval.objects.create(**{**good, **lie})
    Approval.objects.create(**good)
    with pytest.raises(IntegrityError), transaction.atomic():
        Approval.objects.create(**good)
    with pytest.raises(IntegrityError), transaction.atomic():
        Operation.objects.filter(pk=operation.pk).update(status="running")


def test_two_approvers_racing_never_stick(ask, approver, approver2):
    for round_number in range(8):
        operation = ask("rehearsal.destructive", key=str(round_number))
        barrier = threading.Barrier(2)

        def vote(person, operation=operation, barrier=barrier):
            barrier.wait()
            approve(operation, by=person)
            connection.close()

        threads = [threading.Thread(target=vote, args=(person,)) for person in (approver, approver2)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        operation.refresh_from_db()
        assert operation.status == "queued"


def test_tick_queues_what_has_its_votes(ask, approver, production):
    """The votes that were missing because the environment asked for more, which it does no longer."""
    operation = ask("rehearsal.sensitive")
    type(production).objects.filter(pk=production.pk).update(votes_sensitive=2)
    assert approve(operation, by=approver).status == "awaiting_approval"
    type(production).objects.filter(pk=production.pk).update(votes_sensitive=1)

    reevaluate()

    operation.refresh_from_db()
    assert operation.status == "queued"


def test_break_glass_replaces_votes_and_leaves_a_task_for_somebody_else(ask, operator, approver, approver2):
    operation = ask("rehearsal.destructive")
    with pytest.raises(Refused, match="ten characters"):
        break_glass(operation, by=operator, reason="now")

    assert break_glass(operation, by=operator, reason="checkout is down").status == "queued"
    assert run_operation(operation.pk, "test", ALL, end_process=lambda: None) == "succeeded"

    task = Task.objects.get(kind="review_break_glass")
    with pytest.raises(PermissionDenied, match="somebody else"):
        close(task, by=operator, resolution="fine")
    with pytest.raises(IntegrityError), transaction.atomic():
        Task.objects.filter(pk=task.pk).update(closed_by=operator, closed_at="2026-01-01T00:00:00Z")
    other = Task.objects.create(kind=task.kind, title="another", dedupe_key="another")
    assert close(task, by=approver, resolution="looked, fine").closed_by == approver
    other.refresh_from_db()
    assert other.closed_at is None


def test_break_glass_lapses_after_thirty_minutes(ask, operator, approver, approver2):
    operation = break_glass(ask("rehearsal.destructive"), by=operator, reason="checkout is down")
    Operation.objects.filter(pk=operation.pk).update(
        break_glass_from="2020-01-01T00:00:00Z", break_glass_until="2020-01-01T00:30:00Z"
    )
    assert claim(operation.pk, "w") is None


def test_a_small_team_waits_for_its_break_glass(ask, operator, approver):
    operation = break_glass(ask("rehearsal.destructive"), by=operator, reason="checkout is down")
    assert operation.due_at is not None
    assert claim(operation.pk, "w") is None
