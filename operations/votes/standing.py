"""Since when somebody is an approver or an admin: read from entries that this portal wrote, never from rows.

In: people's names and a role. Out: their Standing. A role that SQL, a shell or a form without an entry gave has none.
The clock starts again when somebody else starts the person's sign-in over or activates them: they may hold the account.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.db.models import Q

from ledger.authenticity import is_genuine
from ledger.models import Entry
from operations.factors.enrolments import SETTLES_AFTER, STARTED_OVER
from operations.models import Environment
from operations.periodic.clock import database_time

APPROVER = "Approver"
ADMIN = frozenset({"Admin"})
CONFIRMED = "operations.approver_confirmed"
KNOWN = "operations.voters_known"  # written once, by the migration that began to ask
GIVEN, TAKEN = "signin.role_given", "signin.role_taken"
_LISTED = {"signin.invited": "roles", "signin.roles_changed": "after", CONFIRMED: "roles"}
_BEGINS_AGAIN = ("signin.user_activated", STARTED_OVER)
_CODES = (*_LISTED, GIVEN, TAKEN, *_BEGINS_AGAIN, "signin.first_admin")


@dataclass(frozen=True)
class Standing:
    """Since when somebody holds one of some roles, by whose hands, and whether one more admin has agreed."""

    since: datetime
    hands: frozenset[str]
    held: frozenset[str] = frozenset()
    confirmed: bool = False

    @property
    def settled(self) -> bool:
        return self.confirmed or self.since + SETTLES_AFTER <= database_time()


def approver_on(place: Environment) -> frozenset[str]:
    """The roles by which somebody votes there, as entries name them."""
    return frozenset({APPROVER, f"{APPROVER}@{place.slug}"})


def histories(usernames: Iterable[str]) -> dict[str, list[Entry]]:
    """What the portal wrote about these people's roles, oldest first, in one query."""
    found: dict[str, list[Entry]] = {name: [] for name in usernames}
    entries = Entry.objects.filter(Q(subject__in=found, code__in=_CODES) | Q(code=KNOWN)).order_by("sequence")
    for entry in entries:
        if is_genuine(entry) and (settings.DEMO or not entry.seeded):
            for name in found.keys() & _about(entry):
                found[name].append(entry)
    return found


def standing(name: str, roles: frozenset[str], history: list[Entry] | None = None) -> Standing | None:
    """Since when somebody holds one of these roles; None where no entry says so."""
    now: Standing | None = None
    for entry in histories([name])[name] if history is None else history:
        now = _after(now, entry, name, roles)
    return now


def written_down(entry: Entry, part: str) -> dict[str, list[str]]:
    """What the migration wrote down: the roles of `people`, or whose `votes` each waiting operation had."""
    listed = entry.payload.get(part)
    return listed if isinstance(listed, dict) else {}


def _about(entry: Entry) -> set[str]:
    return set(written_down(entry, "people")) if entry.code == KNOWN else {entry.subject}


def _after(before: Standing | None, entry: Entry, name: str, roles: frozenset[str]) -> Standing | None:
    """What this entry makes of a standing."""
    begun = Standing(entry.since, frozenset({entry.actor}))
    if entry.code in _BEGINS_AGAIN:
        if before is None or entry.actor == name:
            return before
        return replace(begun, hands=before.hands | begun.hands, held=before.held)
    named = _named(entry, name) & roles
    held = _held(before.held if before else frozenset(), entry.code, named)
    if not held:
        return None
    agreed = bool(named) and entry.code in (KNOWN, CONFIRMED)
    now = before or begun
    return replace(now, held=held, confirmed=now.confirmed or agreed)


def _held(before: frozenset[str], code: str, named: frozenset[str]) -> frozenset[str]:
    """The roles held afterwards: some entries name one that is given or taken, others all."""
    if code == TAKEN:
        return before - named
    return before | named if code in (GIVEN, KNOWN, CONFIRMED) else named


def _named(entry: Entry, name: str) -> frozenset[str]:
    """The roles that an entry is about: `Approver`, or `Approver@staging` for one that is held there."""
    if entry.code == "signin.first_admin":
        return ADMIN
    if entry.code in (GIVEN, TAKEN):
        return frozenset({f"{entry.payload.get('role')}@{entry.environment}".removesuffix("@")})
    listed = written_down(entry, "people")[name] if entry.code == KNOWN else entry.payload.get(_LISTED[entry.code])
    return frozenset(listed) if isinstance(listed, list) else frozenset()
