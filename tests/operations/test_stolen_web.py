"""Whoever takes the web service over holds its keys and its database role, but no authenticator: it forges no vote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pyrage
import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection, utils
from django.utils import timezone

from ledger import authenticity
from ledger.models import Entry
from ledger.services import record
from operations.approvals.voting import reevaluate, revoke
from operations.engine.deciding import places_of
from operations.factors import enrolments
from operations.models import Environment, Operation, Step
from operations.models.ulid import new_ulid
from operations.votes.authority_key import publish
from operations.votes.judge import counted, judge
from operations.votes.said import GLASS
from operations.votes.signatures import must_sign
from tests import app_role, passkeys
from tests.operations.stolen_web import ATTACKS, Theft, enrolment_of
from tests.people import asked_for
from tests.running import run_once
from tests.soft_authenticator import SoftAuthenticator

pytestmark = pytest.mark.django_db(transaction=True)
WEB = "w" * 50


@pytest.fixture(autouse=True)
def web(settings: Any, db: None) -> Iterator[None]:
    settings.PASSKEY_ORIGIN, settings.PASSKEY_RP_ID = "http://localhost:8000", "localhost"
    settings.AUTHORITY_KEY, settings.AUTHORITY_KEY_FALLBACKS = WEB, []
    settings.OPS_SEAL_IDENTITY = ""
    User.objects.get_or_create(username="amir")
    authenticity.forget()
    publish()
    yield
    authenticity.forget()


@pytest.fixture
def people(approver: User, approver2: User) -> dict[str, User]:
    return {"ada": approver, "ben": approver2}


@pytest.fixture
def keys(people: dict[str, User]) -> dict[str, SoftAuthenticator]:
    """The people's passkeys, each a day old."""
    return {name: passkeys.enrol(person) for name, person in people.items()}


@pytest.fixture
def theft(ask: Callable[..., Operation], keys: dict[str, SoftAuthenticator]) -> Iterator[Theft]:
    """A destructive operation that waits for two votes, in front of whoever has become the web service."""
    with app_role.made() as role, app_role.connected_as(role):
        yield Theft(ask("rehearsal.destructive"), keys, ask)


def begins(operation: Operation) -> bool:
    reevaluate()
    run_once(operation)
    return operation.steps.exclude(status__in=["pending", "skipped"]).exists()


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_no_vote_is_forged(theft: Theft, settings: Any, attack: Callable[[Theft], None]) -> None:
    attack(theft)
    Operation.objects.filter(pk=theft.operation.pk).update(status="queued")

    for settings.OPS_PASSKEY_VOTES in (2, 0):
        assert counted(theft.operation, places_of(theft.operation)) == []
    assert not begins(theft.operation)
    assert "0 of 2 votes count." in theft.operation.error


def test_with_their_own_passkeys_it_begins(theft: Theft, people: dict[str, User]) -> None:
    for name, person in people.items():
        passkeys.approve(theft.operation, by=person, key=theft.keys[name])
    assert begins(theft.operation)


def test_one_real_vote_and_a_forged_one_are_one(theft: Theft, people: dict[str, User]) -> None:
    passkeys.approve(theft.operation, by=people["ada"], key=theft.keys["ada"])
    theft.vote("ben")
    assert not begins(theft.operation)
    (_, forged) = judge(theft.operation, places_of(theft.operation))
    assert forged.why_not == "ben decided without a passkey; on this only a passkey's signature counts."


def test_a_vote_is_taken_back_and_given_again(theft: Theft, people: dict[str, User]) -> None:
    ada = people["ada"]
    passkeys.approve(theft.operation, by=ada, key=theft.keys["ada"])
    revoke(theft.operation, by=ada)
    passkeys.approve(theft.operation, by=ada, key=theft.keys["ada"])
    assert [vote.approved_by for vote in counted(theft.operation, places_of(theft.operation))] == [ada]


def test_no_glass_is_broken(theft: Theft, operator: User, settings: Any) -> None:
    """Neither without a signature nor by a key of the thief's own; by the person's own passkey it is."""
    settings.OPS_PASSKEY_VOTES = 1
    now, own = timezone.now(), SoftAuthenticator()
    record(enrolments.ADDED, actor=operator.username, subject="mine", data=enrolment_of(own))
    signed = theft.signed(own, operator.username)
    until = now + timedelta(minutes=20)
    window = {"break_glass_by": operator, "break_glass_from": now, "break_glass_until": until, "due_at": None}
    Operation.objects.filter(pk=theft.operation.pk).update(status="queued", break_glass_reason="urgent", **window)
    for data in ({}, {"signed": signed}):
        record(GLASS, actor=operator.username, subject=theft.operation.pk, data={"until": until.isoformat(), **data})
        assert not begins(theft.operation)
        assert "olga" in theft.operation.error


def test_rows_that_lower_what_is_asked_lower_no_vote_below_the_setting(
    theft: Theft, operator: User, settings: Any
) -> None:
    """Signed by the web itself, with a request that needs none, in the name of somebody who could."""
    settings.OPS_PASSKEY_VOTES = 1
    Environment.objects.update(protected=False, votes_destructive=0)
    row = Operation.objects.get(pk=theft.operation.pk)
    steps = list(row.steps.all())
    row.pk, row.approvals_required, row.status, row._state.adding = new_ulid(), 0, "queued", True
    row.save()
    for step in steps:
        Step.objects.create(operation=row, position=step.position, name=step.name, pool=step.pool)
    asked_for(row)

    assert not begins(row)
    assert "0 of 1 votes count." in row.error


def test_a_row_that_says_it_runs_was_begun_by_nobody(theft: Theft, settings: Any) -> None:
    for name in theft.keys:
        theft.vote(name)
    row = Operation.objects.filter(pk=theft.operation.pk)
    row.update(status="queued")
    row.update(status="running", begun="f" * 64)
    first = theft.operation.steps.first()
    assert first is not None
    Step.objects.filter(pk=first.pk).update(status="succeeded")

    settings.OPS_SEAL_IDENTITY = str(pyrage.x25519.Identity.generate())
    run_once(theft.operation)

    assert theft.operation.status == "failed"
    assert "0 of 2 votes count." in theft.operation.error
    assert theft.operation.steps.get(name="work").status == "skipped"


@pytest.mark.parametrize("begun", ["older", "f" * 64])
def test_no_row_is_born_begun_or_becomes_an_older_one(theft: Theft, begun: str) -> None:
    row = Operation.objects.get(pk=theft.operation.pk)
    with pytest.raises(utils.IntegrityError, match="begun by a worker"):
        if begun == "older":
            Operation.objects.filter(pk=row.pk).update(begun=begun)
        else:
            row.pk, row.begun, row._state.adding = new_ulid(), begun, True
            row.save()


def test_a_worker_goes_on_with_what_it_began(theft: Theft, people: dict[str, User], settings: Any) -> None:
    """Also after the voters' rights were taken: they held them when it began."""
    settings.OPS_SEAL_IDENTITY = str(pyrage.x25519.Identity.generate())
    for name, person in people.items():
        passkeys.approve(theft.operation, by=person, key=theft.keys[name])
    first, *_ = theft.operation.steps.all()
    Operation.objects.filter(pk=theft.operation.pk).update(due_at=None)
    run_once(theft.operation, frozenset({"nowhere"}))
    run_once(theft.operation)
    assert theft.operation.steps.get(pk=first.pk).status == "succeeded"
    assert len(Operation.objects.get(pk=theft.operation.pk).begun) == 64


def test_the_time_of_an_entry_is_the_databases(theft: Theft) -> None:
    entry = record("operations.requested", actor="ada")
    with pytest.raises(utils.ProgrammingError) as refused, connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_entry SET stored_at = now() - interval '9 days'")
    assert isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege)
    assert abs(Entry.objects.get(pk=entry.pk).since - timezone.now()) < timedelta(minutes=1)


def test_a_clock_that_is_wrong_here_changes_no_time(theft: Theft) -> None:
    now = timezone.now()
    with time_machine.travel(now - timedelta(days=3), tick=False):
        entry = record(enrolments.ADDED, actor="carl", data={"credential": "aa", "public_key": "bb"})
    assert abs(Entry.objects.get(pk=entry.pk).since - now) < timedelta(minutes=1)
    assert not must_sign("carl")
