"""What SQL writes past the portal (votes, entries that go on with the chain, roles, a broken glass) begins nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.utils import timezone

from ledger.authenticity import digest_of
from ledger.models import Entry, Head
from ledger.services import record
from operations.approvals.voting import reevaluate
from operations.engine.claim import claim
from operations.models import Approval, Operation
from operations.votes.judge import counted
from operations.votes.standing import APPROVER, GIVEN, standing
from providers.errors import Refused
from tests.people import holder
from tests.running import run_once
from tests.stepping import approve, break_glass

pytestmark = pytest.mark.django_db(transaction=True)
PAST = "2020-01-01T00:00:00Z"


def started(operation: Operation) -> bool:
    run_once(operation)
    return operation.steps.exclude(status="pending").exclude(status="skipped").exists()


def insert_vote(operation: Operation, name: str, **other: object) -> Approval:
    """A row as SQL writes it: every constraint is met, and the ledger knows nothing."""
    person = User.objects.filter(username=name).first() or holder(name)
    row = {"requested_by": operation.requested_by, "content_sha256": operation.content_sha256, "decision": "approve"}
    return Approval.objects.create(operation=operation, approved_by=person, **row, **other)


def test_rows_that_sql_inserts_count_for_nothing(ask, approver, approver2):
    """Also in the names of people who may vote, and with rows of the ledger that continue its chain."""
    operation = ask("rehearsal.destructive")
    for name in ("ada", "ben", "vera", "aldo"):
        insert_vote(operation, name)

    reevaluate()
    operation.refresh_from_db()
    assert operation.status == "awaiting_approval"
    Operation.objects.filter(pk=operation.pk).update(status="queued")

    assert not started(operation)
    assert operation.status == "awaiting_approval"
    assert "0 of 2 votes count." in operation.error
    assert "The ledger holds no vote of ada for this content" in operation.error


def test_a_role_that_is_dated_back_is_as_young_as_its_entry(approver):
    with time_machine.travel(timezone.now() - timedelta(days=30)):
        record(GIVEN, actor="mallory", subject="carl", data={"role": APPROVER})

    found = standing("carl", frozenset({APPROVER}))

    assert found is not None
    assert not found.settled


def forged_entry(operation: Operation, name: str, **data: object) -> Entry:
    """An entry as whoever holds the portal's database role can write it: number, place and hash are right."""
    head = Head.objects.get()
    entry = Entry.objects.filter(code="operations.requested", subject=operation.pk).get()
    entry.sequence, entry.previous_sha256 = head.sequence + 1, head.sha256
    entry.code, entry.actor = "operations.approved", name
    entry.data = '{"content_sha256":"%s"}' % operation.content_sha256  # noqa: UP031
    for column, value in data.items():
        setattr(entry, column, value)
    entry.sha256 = digest_of(entry)
    entry.save(force_insert=True)
    Head.objects.update(sequence=entry.sequence, sha256=entry.sha256)
    return entry


@pytest.mark.parametrize("mac", ["", "0" * 64, "copied", "own"])
def test_an_entry_that_only_continues_the_chain_is_no_vote(ask, approver, mac):
    operation = ask("rehearsal.sensitive")
    if mac == "copied":
        mac = Entry.objects.order_by("-sequence").values_list("mac", flat=True)[0]
    insert_vote(operation, "ada")
    entry = forged_entry(operation, "ada", mac="a" * 64)
    if mac == "own":  # the code of the entry before it, in a portal with another key
        mac = entry.sha256
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_entry DISABLE TRIGGER USER")
        cursor.execute("UPDATE ledger_entry SET mac = %s WHERE sequence = %s", [mac, entry.sequence])
        cursor.execute("ALTER TABLE ledger_entry ENABLE TRIGGER USER")
    reevaluate()

    operation.refresh_from_db()
    assert operation.status == "awaiting_approval"


def test_a_genuine_vote_copied_to_another_place_is_none(ask, approver):
    """Taken back, and written once more with the same code: the code covers number and place."""
    operation = ask("rehearsal.sensitive")
    approve(operation, by=approver)
    genuine = Entry.objects.get(code="operations.approved")
    Operation.objects.filter(pk=operation.pk).update(status="awaiting_approval")
    record("operations.approval_revoked", actor="ada", subject=operation.pk)
    forged_entry(operation, "ada", data=genuine.data, at=genuine.at, mac=genuine.mac)

    assert counted(operation, [operation.environment]) == []


def test_a_role_given_by_sql_gives_no_vote(ask, approver):
    operation = ask("rehearsal.destructive")
    mallory = holder("mallory")
    mallory.user_permissions.add(Permission.objects.get(codename="approve_operation"))

    with pytest.raises(Refused, match="does not say who made mallory an approver"):
        approve(operation, by=User.objects.get(pk=mallory.pk))


@pytest.mark.usefixtures("one_clock")
def test_a_glass_that_sql_broke_is_whole(ask, operator, approver, approver2):
    """Also one whose window SQL made longer."""
    forged, longer = ask("rehearsal.destructive"), ask("rehearsal.destructive", key="other")
    window = {"break_glass_from": PAST, "break_glass_until": "2090-01-01T00:00:00Z"}
    Operation.objects.filter(pk=forged.pk).update(status="queued", break_glass_by=operator, **window)
    break_glass(longer, by=operator, reason="checkout is down")
    Operation.objects.filter(pk=longer.pk).update(**window)

    with time_machine.travel(timezone.now() + timedelta(minutes=31), tick=True):
        assert not started(forged)
        assert not started(longer)

    assert "The ledger does not hold that olga broke the glass" in forged.error
    assert (forged.status, longer.status) == ("awaiting_approval", "awaiting_approval")


def test_a_row_that_counts_for_nothing_does_not_keep_its_person_from_voting(ask, approver):
    operation = ask("rehearsal.sensitive")
    insert_vote(operation, "ada")

    assert approve(operation, by=approver).status == "queued"
    assert claim(operation.pk, "w") is not None
