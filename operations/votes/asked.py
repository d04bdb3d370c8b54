"""Whether somebody asked for an operation through the portal: a row that SQL inserted was asked for by nobody.

In: operations that have not begun. Out: those whose request no entry that this portal wrote holds, with the same person
and the same digest.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q

from ledger.authenticity import is_genuine
from ledger.models import Entry
from operations.accounts import SYSTEM
from operations.models import Operation
from operations.votes.standing import written_down

REQUESTED = "operations.requested"
KNOWN = "operations.requests_known"  # written once, by the migration that began to ask


def unasked(operations: Sequence[Operation]) -> list[Operation]:
    """One query."""
    asked: dict[str, Sequence[object]] = {}
    keys = [operation.pk for operation in operations]
    for entry in Entry.objects.filter(Q(subject__in=keys, code=REQUESTED) | Q(code=KNOWN)):
        if is_genuine(entry, humble=entry.code == REQUESTED and entry.actor == SYSTEM):
            said = {entry.subject: [entry.actor, entry.payload.get("content_sha256")]}
            asked |= written_down(entry, "requests") if entry.code == KNOWN else said
    return [row for row in operations if asked.get(row.pk) != [row.requested_by.username, row.content_sha256]]
