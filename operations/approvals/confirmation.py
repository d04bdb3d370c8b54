"""A second admin confirms a new approver: the votes count at once instead of after a day, and all approvers hear of it.

In: a person, and the admin who vouches. Out: one ledger entry and a message. The admin is settled, somebody else, and
had no hand in making them an approver.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction

from ledger.authenticity import demand
from ledger.services import record
from operations.authority import VOTE, holders_anywhere, holds, roles
from operations.engine.request import refusals_recorded
from operations.factors.acts import Binding, digest_of
from operations.factors.step_up import spend
from operations.models.ulid import new_ulid
from operations.navigation import page_of
from operations.notify.outbox import addresses, enqueue
from operations.votes.standing import ADMIN, APPROVER, CONFIRMED, standing

CONFIRM = "auth.change_user"


def why_not_confirm(person: User, by: User) -> str:
    """The reason it is refused, or nothing."""
    if not holds(by, CONFIRM, None):
        return "Only admins confirm approvers."
    if person.pk == by.pk:
        return "Another admin confirms you."
    own = standing(by.username, ADMIN)
    if own is None or not own.settled:
        return "Only who has been an admin for a day confirms others."
    young = young_roles(person)
    if not young:
        return f"{person.username} has no vote that does not count yet."
    if any(by.username in hands for hands in young.values()):
        return f"You had a hand in making {person.username} an approver; another admin confirms it."
    return ""


def confirm(person: User, *, by: User, channel: str = "admin") -> None:
    """Let the votes of a new approver count from now on. Raise PermissionDenied."""
    with refusals_recorded(CONFIRMED, by, None), transaction.atomic():
        demand()
        row = User.objects.select_for_update().get(pk=person.pk)
        if reason := why_not_confirm(row, by):
            raise PermissionDenied(f"{reason} Nothing was changed.")
        confirmed = sorted(young_roles(row))
        spend(by.username, Binding("operations.confirm_approver", row.username, digest_of(confirmed)))
        subject = f"{by.username} confirmed {row.username} as {', '.join(confirmed)}"
        body = f"The votes of {row.username} count from now on. If you did not expect that, ask {by.username} now."
        path = page_of(row)
        people = addresses(holders_anywhere(VOTE))
        enqueue(f"confirmed:{new_ulid()}", subject=subject, body=body, path=path, to=people)
        record(CONFIRMED, actor=by.username, subject=row.username, data={"channel": channel, "roles": confirmed})


def young_roles(person: User) -> dict[str, frozenset[str]]:
    """The roles by which an active person votes without their counting yet, with who had a hand in each."""
    voting = [role for role in roles(person) if role.partition("@")[0] == APPROVER and person.is_active]
    standings = {role: standing(person.username, frozenset({role})) for role in voting}
    return {role: now.hands if now else frozenset() for role, now in standings.items() if not (now and now.settled)}
