"""What moves votes from one hand to another: new passkeys, dropped factors, roles that vote or give roles, addresses.

In: the ledger's newest entries. Out: its person and every approver hear of each, first hand, while what it gives does
not count yet (`operations.votes`).
"""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User

from ledger.models import Entry
from ledger.registry import sentence_for
from operations.authority import VOTE, holders_anywhere
from operations.factors import enrolments
from operations.navigation import page_of
from operations.notify import first_hand
from operations.notify.outbox import addresses, messages
from operations.periodic.clock import database_time
from operations.votes import standing

_LOOK_BACK = timedelta(days=1)
_OF_THEMSELVES = (enrolments.ADDED, enrolments.KNOWN, enrolments.REMOVED)
_ADDRESS = "signin.contact_changed"
_ALWAYS = (*_OF_THEMSELVES, enrolments.STARTED_OVER, "signin.user_activated", _ADDRESS)
_ROLES = {
    standing.GIVEN: "role",
    standing.CONFIRMED: "roles",
    "signin.first_admin": "",
    "signin.invited": "roles",
    "signin.roles_changed": "after",
}
_THAT_COUNT = (standing.APPROVER, *standing.ADMIN)


def moved() -> list[Entry]:
    """By the database's clock: whoever writes an entry past the portal cannot date it out of sight."""
    since = database_time() - _LOOK_BACK
    rows = Entry.objects.filter(code__in=(*_ALWAYS, *_ROLES), stored_at__gt=since, seeded=False).order_by("sequence")
    return first_hand.untold(row for row in rows if row.code in _ALWAYS or _counts(row))


def tell_of(entry: Entry) -> int:
    name = entry.actor if entry.code in _OF_THEMSELVES else entry.subject
    person = User.objects.filter(username=name).first()
    since = entry.since + enrolments.SETTLES_AFTER
    body = f"Who votes may change by it, from {since:%Y-%m-%d %H:%M} UTC. If none of you meant it, take it back before."
    former = str(entry.payload.get("before", "")) if entry.code == _ADDRESS else ""
    people = [person.email if person else "", former, *addresses(holders_anywhere(VOTE))]
    path = page_of(person) if person else ""
    return first_hand.tell(
        entry, messages(f"authority:{entry.sequence}", subject=sentence_for(entry), body=body, path=path, to=people)
    )


def _counts(entry: Entry) -> bool:
    if entry.code == "signin.first_admin":
        return True
    named = entry.payload.get(_ROLES[entry.code])
    names = named if isinstance(named, list) else [named]
    return any(str(name).partition("@")[0] in _THAT_COUNT for name in names)
