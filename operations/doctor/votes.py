"""Checks of votes: those that do not count although a row says so, and approvers whose votes do not count yet."""

from __future__ import annotations

from collections.abc import Iterator

from operations.approvals.confirmation import young_roles
from operations.authority import VOTE, holders_anywhere
from operations.doctor import Check, register
from operations.engine.deciding import places_of
from operations.models import Environment, Operation, Status
from operations.votes.asked import unasked
from operations.votes.judge import evidence_of, judge

_MOST = 100


@register
def votes(environment: Environment | None) -> Iterator[Check]:
    """Every vote on what waits counts; one that the ledger does not hold was not given through the portal."""
    waiting = _waiting(environment)
    evidence = evidence_of(waiting)
    empty = [f"{row}: {one.why_not}" for row in waiting for one in judge(row, places_of(row), evidence) if one.why_not]
    forged = any("The ledger holds no vote" in line for line in empty)
    why = "An operation begins only with votes that count at that moment; a row alone is none."
    fix = "Ask the people named; a vote that the ledger does not hold was written past the portal." if empty else ""
    found = " ".join(empty[:10]) or f"all votes on {len(waiting)} waiting operations count"
    yield Check("votes", "bad" if forged else "warn" if empty else "ok", found, why, fix)


@register
def requests(environment: Environment | None) -> Iterator[Check]:
    """Whatever waits was asked for through the portal."""
    waiting = _waiting(environment)
    forged = ", ".join(str(row) for row in unasked(waiting))
    why = "An operation begins only if the ledger holds who asked for exactly that; a row alone is no request."
    fix = "It never begins. Ask who wrote SQL, then cancel it." if forged else ""
    found = f"written past the portal: {forged}" if forged else f"{len(waiting)} waiting operations were asked for"
    yield Check("requests", "bad" if forged else "ok", found, why, fix)


def _waiting(environment: Environment | None) -> list[Operation]:
    rows = Operation.objects.filter(status__in=[Status.AWAITING_APPROVAL, Status.QUEUED], seeded=False)
    if environment:
        rows = rows.filter(environment=environment)
    people = rows.select_related("environment", "requested_by").prefetch_related("approvals__approved_by")
    return list(people[:_MOST])


@register
def new_approvers(environment: Environment | None) -> Iterator[Check]:
    """Nobody became an approver unseen."""
    young = [person.username for person in holders_anywhere(VOTE) if young_roles(person)]
    why = "The votes of a new approver count after a day, so that the others see who was added."
    fix = "Confirm them under People, as another admin than the one who added them, or ask who did." if young else ""
    found = f"not counting yet: {', '.join(young[:20])}" if young else "every approver's votes count"
    yield Check("new approvers", "warn" if young else "ok", found, why, fix)
