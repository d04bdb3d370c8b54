"""People with passkeys whose enrolment is a day old, and votes that these sign, without a browser.

In: a person, an authenticator in software, an operation. Out: what the portal's own services make of them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction

from ledger.models import Entry
from ledger.services import record
from operations.approvals import voting
from operations.factors import enrolments, passkeys
from operations.factors.acts import about
from operations.factors.step_up import note
from operations.models import Operation, Passkey
from operations.votes.said import votes_said
from operations.votes.signatures import why_not_signed
from tests.soft_authenticator import SoftAuthenticator

HERE = "this session"
APPROVE = "operations.approve"
DAY = timedelta(hours=25)


def enrol(person: User, *, ago: timedelta = DAY) -> SoftAuthenticator:
    """A passkey as the page enrols it, so long ago by the database's clock."""
    made = SoftAuthenticator()
    row = passkeys.register(person, HERE, made.register(passkeys.registration(person, HERE, [])), "laptop")
    age(record(enrolments.ADDED, actor=person.username, subject="laptop", data=enrolments.data_of(row)), ago)
    return made


def age(entry: Entry, by: timedelta) -> None:
    """As the owner of the tables can, and nobody else: no trigger fires."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        Entry.objects.filter(pk=entry.pk).update(stored_at=entry.at - by)


def show(person: User, key: SoftAuthenticator, operation: Operation, act: str = APPROVE, **lies: Any) -> dict[str, str]:
    """The step-up of this person for this act; what was signed."""
    binding = about(act, operation)
    options = passkeys.request(person, HERE, binding.sha256(person.username))
    row, signed = passkeys.sign(person, HERE, binding.sha256(person.username), key.sign(options, **lies))
    note(person, binding, f"passkey {row.name}", signed)
    return signed


def approve(operation: Operation, *, by: User, key: SoftAuthenticator) -> Operation:
    show(by, key, operation)
    return voting.approve(operation, by=by)


def remove(person: User) -> Entry:
    """As the page removes it."""
    row = Passkey.objects.get(user=person)
    row.delete()
    return record(enrolments.REMOVED, actor=person.username, subject=row.name, data=enrolments.removal_of(row))


def judged(operation: Operation, name: str, **other: str) -> str:
    """Why this person's vote does not count for want of a signature, with `other` parts in what was signed."""
    said = votes_said([operation])[operation.pk][name]
    spoilt = replace(said, signed={**said.signed, **other})
    return why_not_signed(APPROVE, operation, spoilt, enrolments.enrolments([name])[name])
