"""What the ledger says of votes: who voted for which digest, when, and what a passkey signed for it.

In: operations. Out: each person's last word on each, by entries that this portal wrote; of a broken glass the newest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from ledger.authenticity import is_genuine
from ledger.models import Entry
from operations.models import Operation
from operations.periodic.clock import database_time
from operations.votes.standing import KNOWN, written_down

GLASS = "operations.break_glass"  # the permission, and the code of the entry
APPROVED = "operations.approved"
_SAID = (APPROVED, "operations.rejected", "operations.approval_revoked")


@dataclass(frozen=True)
class Said:
    """For which digest (none: it was taken back), when, and the signature, which is good for one entry."""

    name: str
    content_sha256: str
    at: datetime
    signed: dict[str, str] = field(default_factory=dict)


def votes_said(operations: Sequence[Operation]) -> dict[str, dict[str, Said]]:
    """By operation and person; one query."""
    asked = {operation.pk: operation.content_sha256 for operation in operations}
    said: dict[str, dict[str, Said]] = {pk: {} for pk in asked}
    used: set[str] = set()
    for entry in Entry.objects.filter(Q(subject__in=asked, code__in=_SAID) | Q(code=KNOWN)).order_by("sequence"):
        if not is_genuine(entry):
            continue
        if entry.code == KNOWN:
            for pk in asked:
                people = written_down(entry, "votes").get(pk, ())
                said[pk] |= {name: Said(name, asked[pk], entry.since) for name in people}
        else:
            said[entry.subject][entry.actor] = _said(entry, used)
    return said


def glass_broken(operation: Operation) -> Said | None:
    """Who broke the glass, by the newest entry about it, while the window that it names is open."""
    entries = Entry.objects.filter(subject=operation.pk, code=GLASS).order_by("sequence")
    used: set[str] = set()
    newest, until = None, ""
    for entry in filter(is_genuine, entries):
        newest, until = _said(entry, used), str(entry.payload.get("until", ""))
    return newest if newest and until and datetime.fromisoformat(until) > database_time() else None


def _said(entry: Entry, used: set[str]) -> Said:
    digest = str(entry.payload.get("content_sha256", "")) if entry.code == APPROVED else ""
    signed = entry.payload.get("signed")
    if not isinstance(signed, dict) or str(signed.get("nonce")) in used:
        return Said(entry.actor, digest, entry.since)
    used.add(str(signed.get("nonce")))
    return Said(entry.actor, digest, entry.since, {str(name): str(part) for name, part in signed.items()})
