"""What whoever took the web service over tries: its keys and its database role, but nobody's authenticator.

Each attack is one function of a `Theft`; afterwards an honest worker looks at the operation.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone
from webauthn.helpers import bytes_to_base64url, encode_cbor

from ledger.authenticity import code_of, digest_of
from ledger.canonical import dumps
from ledger.models import Entry, Head
from ledger.services import record
from operations.factors import assertions, enrolments
from operations.factors.acts import about
from operations.models import Approval, Operation, Passkey
from operations.models.factor_key import sealed_passkey
from operations.models.step_up import challenge_of
from operations.votes.standing import CONFIRMED
from tests import passkeys
from tests.passkeys import APPROVE
from tests.soft_authenticator import SoftAuthenticator

NONCE = "ab" * 32


class Theft:
    """`keys` are the people's own: they answer what the page asks them, whatever that is."""

    def __init__(self, operation: Operation, keys: dict[str, SoftAuthenticator], ask: Callable[..., Operation]) -> None:
        self.operation, self.keys, self.ask = operation, keys, ask
        self.own = {name: SoftAuthenticator() for name in keys}

    def vote(self, name: str, **data: Any) -> None:
        """The row, and the entry that the portal itself would have written."""
        person, of = User.objects.get(username=name), self.operation
        row = {"requested_by": of.requested_by, "content_sha256": of.content_sha256, "decision": "approve"}
        Approval.objects.update_or_create(operation=of, approved_by=person, defaults={**row, "revoked_at": None})
        told = {"content_sha256": of.content_sha256, **data}
        record("operations.approved", actor=name, subject=of.pk, data=told)

    def signed(self, key: SoftAuthenticator, name: str, **lies: Any) -> dict[str, str]:
        """What this authenticator signs for the vote of this person, as the ledger keeps it."""
        challenge = challenge_of(NONCE, about(APPROVE, self.operation).sha256(name))
        options = dumps({"rpId": "localhost", "challenge": bytes_to_base64url(challenge)})
        return assertions.kept(json.loads(key.sign(options, **lies)), NONCE)


def cose_of(key: SoftAuthenticator) -> bytes:
    point = key.key.public_key().public_numbers()
    return bytes(encode_cbor({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}))


def enrolment_of(key: SoftAuthenticator) -> dict[str, str]:
    return {"credential": key.credential.hex(), "public_key": cose_of(key).hex()}


def without_a_signature(theft: Theft) -> None:
    for name in theft.keys:
        theft.vote(name)


def with_an_empty_one(theft: Theft) -> None:
    for name in theft.keys:
        theft.vote(name, signed={"nonce": NONCE, "credential": theft.keys[name].credential.hex()})


def after_deleting_the_passkeys(theft: Theft) -> None:
    Passkey.objects.all().delete()
    without_a_signature(theft)


def after_writing_that_they_were_removed(theft: Theft) -> None:
    for name, key in theft.keys.items():
        record(enrolments.REMOVED, actor=name, subject="laptop", data={"credential": key.credential.hex()})
    without_a_signature(theft)


def after_writing_that_the_sign_in_started_over(theft: Theft) -> None:
    for name in theft.keys:
        record(enrolments.STARTED_OVER, actor="amir", subject=name)
        record(CONFIRMED, actor="amir", subject=name, data={"roles": ["Approver"]})
    without_a_signature(theft)


def by_a_key_of_its_own(theft: Theft) -> None:
    for name, key in theft.own.items():
        record(enrolments.ADDED, actor=name, subject="mine", data=enrolment_of(key))
        record(CONFIRMED, actor="amir", subject=name, data={"roles": ["Approver"]})
        theft.vote(name, signed=theft.signed(key, name))


def by_a_key_that_no_entry_names(theft: Theft) -> None:
    for name, key in theft.own.items():
        theft.vote(name, signed=theft.signed(key, name))


def by_a_key_whose_entry_is_dated_back(theft: Theft) -> None:
    """With a right hash, the portal's own code, and a time of the database's chosen too."""
    long_ago = timezone.now() - timedelta(days=9)
    for name, key in theft.own.items():
        head = Head.objects.get()
        entry = Entry(sequence=head.sequence + 1, at=long_ago, actor=name, code=enrolments.ADDED, stored_at=long_ago)
        entry.data, entry.previous_sha256 = dumps(enrolment_of(key)), head.sha256
        entry.sha256 = digest_of(entry)
        entry.mac = code_of(entry.sha256)
        entry.save(force_insert=True)
        Head.objects.update(sequence=entry.sequence, sha256=entry.sha256)
        theft.vote(name, signed=theft.signed(key, name))


def by_another_public_key_under_their_credential(theft: Theft) -> None:
    for name, key in theft.own.items():
        key.credential = theft.keys[name].credential
        record(enrolments.ADDED, actor=name, subject="laptop", data=enrolment_of(key))
        theft.vote(name, signed=theft.signed(key, name))


def by_a_public_key_in_their_row(theft: Theft) -> None:
    """The portal's own check of the row says yes: FACTOR_KEY seals whatever the web seals."""
    for name, key in theft.own.items():
        person, key.credential = User.objects.get(username=name), theft.keys[name].credential
        row = Passkey.objects.get(user=person)
        own = sealed_passkey(cose_of(key), person.pk, row.credential_id)
        Passkey.objects.filter(pk=row.pk).update(public_key=own)
        theft.vote(name, signed=passkeys.show(person, key, theft.operation))


def by_what_they_signed_for_another_operation(theft: Theft) -> None:
    other = theft.ask("rehearsal.destructive", key="other")
    for name, key in theft.keys.items():
        theft.vote(name, signed=passkeys.show(User.objects.get(username=name), key, other))


def by_what_they_signed_to_refuse_it(theft: Theft) -> None:
    for name, key in theft.keys.items():
        signed = passkeys.show(User.objects.get(username=name), key, theft.operation, act="operations.reject")
        theft.vote(name, signed=signed)


def by_what_another_person_signed(theft: Theft) -> None:
    """Also where that person's key is written down as theirs."""
    (first, key), (second, _) = theft.keys.items()
    signed = theft.signed(key, first)
    record(enrolments.ADDED, actor=second, subject="hers", data=enrolment_of(key))
    theft.vote(second, signed=signed)


def _lied(theft: Theft, **lie: str) -> None:
    for name, key in theft.keys.items():
        theft.vote(name, signed=theft.signed(key, name, **lie))


def at_another_origin(theft: Theft) -> None:
    _lied(theft, origin="https://ops.example.net")


def under_another_name(theft: Theft) -> None:
    _lied(theft, rp_id="example.net")


def as_an_enrolment(theft: Theft) -> None:
    _lied(theft, type="webauthn.create")


def with_one_bit_changed(theft: Theft) -> None:
    _lied(theft, spoil="signature")


def once_more_after_they_took_it_back(theft: Theft) -> None:
    for name, key in theft.keys.items():
        signed = theft.signed(key, name)
        theft.vote(name, signed=signed)
        record("operations.approval_revoked", actor=name, subject=theft.operation.pk)
        theft.vote(name, signed=signed)


ATTACKS: tuple[Callable[[Theft], None], ...] = (
    without_a_signature,
    with_an_empty_one,
    after_deleting_the_passkeys,
    after_writing_that_they_were_removed,
    after_writing_that_the_sign_in_started_over,
    by_a_key_of_its_own,
    by_a_key_that_no_entry_names,
    by_a_key_whose_entry_is_dated_back,
    by_another_public_key_under_their_credential,
    by_a_public_key_in_their_row,
    by_what_they_signed_for_another_operation,
    by_what_they_signed_to_refuse_it,
    by_what_another_person_signed,
    at_another_origin,
    under_another_name,
    as_an_enrolment,
    with_one_bit_changed,
    once_more_after_they_took_it_back,
)
