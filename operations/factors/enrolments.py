"""Which passkeys are whose, by the ledger: a row that is deleted, planted or changed alters nothing of that.

In: people's names. Out: the public keys that entries of this portal name, since when by the database's own clock, and
until when. A key signs after a day, so that its owner and the approvers can hear of it first; a removed one at no time.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from ledger.authenticity import is_genuine
from ledger.models import Entry
from ledger.services import record
from operations.models import Passkey

SETTLES_AFTER = timedelta(hours=24)
ADDED, KNOWN, REMOVED = "signin.passkey_added", "signin.passkey_known", "signin.passkey_removed"
STARTED_OVER = "signin.second_factor_removed"


@dataclass(frozen=True)
class Enrolled:
    credential: str
    public_key: str
    since: datetime
    until: datetime | None = None

    def signs(self, at: datetime) -> bool:
        """Whether a signature of it counts."""
        return self.until is None and self.since + SETTLES_AFTER <= at

    def binds(self, at: datetime) -> bool:
        """Whether its owner's votes count with a signature only: for a day longer than it signs, as nobody who could
        write its removal shall vote without it at once."""
        return self.since + SETTLES_AFTER <= at and (self.until is None or at < self.until + SETTLES_AFTER)


def data_of(row: Passkey) -> dict[str, object]:
    """What an entry says of a passkey, for ever."""
    return {"credential": _hex(row), "public_key": row.cose_key.hex()}


def removal_of(row: Passkey) -> dict[str, object]:
    return {"credential": _hex(row)}


def make_known(row: Passkey) -> None:
    """Write one down that was enrolled before the ledger held keys."""
    if not any(key.credential == _hex(row) for key in enrolments([row.user.username])[row.user.username]):
        record(KNOWN, actor=row.user.username, subject=row.name, data=data_of(row))


def enrolments(usernames: Iterable[str]) -> dict[str, list[Enrolled]]:
    """Every key that was ever enrolled for these people, oldest first, in one query."""
    found: dict[str, list[Enrolled]] = {name: [] for name in usernames}
    own = Q(actor__in=found, code__in=(ADDED, KNOWN, REMOVED))
    for entry in Entry.objects.filter(own | Q(subject__in=found, code=STARTED_OVER)).order_by("sequence"):
        if is_genuine(entry) and (settings.DEMO or not entry.seeded):
            name = entry.subject if entry.code == STARTED_OVER else entry.actor
            found[name] = _after(found[name], entry)
    return found


def _after(before: list[Enrolled], entry: Entry) -> list[Enrolled]:
    said = entry.payload
    credential, public_key = str(said.get("credential", "")), str(said.get("public_key", ""))
    if entry.code in (ADDED, KNOWN):
        known = any((key.credential, key.public_key) == (credential, public_key) and not key.until for key in before)
        return before if known or not public_key else [*before, Enrolled(credential, public_key, entry.since)]
    gone = {key.credential for key in before} if entry.code == STARTED_OVER else {credential}
    return [replace(key, until=entry.since) if key.credential in gone and key.until is None else key for key in before]


def _hex(row: Passkey) -> str:
    return base64.urlsafe_b64decode(row.credential_id + "=" * (-len(row.credential_id) % 4)).hex()
