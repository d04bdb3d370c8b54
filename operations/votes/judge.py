"""The judge of votes: each one counts, or says why it does not. The claim, voting, the tick and every page ask here.

In: an operation and the environments that it reaches, the deciding one first. Out: its living votes, judged as of now.
Reads only; whoever acts on the answer holds the operation's row, and at its beginning the people's rows too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User

from ledger.models import Entry
from operations.authority import VOTE, holds
from operations.factors.enrolments import SETTLES_AFTER, Enrolled, enrolments
from operations.models import Approval, Environment, Operation, Status
from operations.votes.said import GLASS, Said, glass_broken, votes_said
from operations.votes.signatures import is_grave, why_not_signed
from operations.votes.standing import approver_on, histories, standing


@dataclass(frozen=True)
class Judged:
    """A vote that was not taken back; `why_not` is empty where it counts."""

    vote: Approval
    why_not: str


@dataclass(frozen=True)
class Evidence:
    """What the ledger holds of some operations: how their voters came to vote, what each said, and their passkeys."""

    histories: dict[str, list[Entry]]
    said: dict[str, dict[str, Said]]
    passkeys: dict[str, list[Enrolled]]


def judge(operation: Operation, places: Sequence[Environment], evidence: Evidence | None = None) -> list[Judged]:
    """Every vote for it that was not taken back; a page of many operations reads their evidence at once."""
    living = _living(operation)
    known = evidence or (_evidence([operation], {_name(vote) for vote in living}) if living else Evidence({}, {}, {}))
    return [Judged(vote, _why_not(vote, operation, places, known)) for vote in living]


def evidence_of(operations: Sequence[Operation], *others: User) -> Evidence:
    """Three queries at most, besides the votes and their people where these were not prefetched."""
    names = {_name(vote) for operation in operations for vote in _living(operation)}
    return _evidence(operations, names | {person.username for person in others})


def _evidence(operations: Sequence[Operation], names: set[str]) -> Evidence:
    grave = names if any(map(is_grave, operations)) else ()
    return Evidence(histories(names), votes_said(operations), enrolments(grave) if grave else {})


def _name(vote: Approval) -> str:
    return vote.approved_by.username


def _votes(operation: Operation) -> list[Approval]:
    """Every vote with its person; a page has read them before."""
    votes = operation.approvals.all()
    is_read = "approvals" in getattr(operation, "_prefetched_objects_cache", {})
    return list(votes if is_read else votes.select_related("approved_by"))


def _living(operation: Operation) -> list[Approval]:
    return [
        vote for vote in _votes(operation) if vote.decision == Approval.Decision.APPROVE and vote.revoked_at is None
    ]


def counted(operation: Operation, places: Sequence[Environment]) -> list[Approval]:
    """The votes that count now."""
    return [judged.vote for judged in judge(operation, places) if not judged.why_not]


def every_vote(operation: Operation, places: Sequence[Environment]) -> list[tuple[Approval, str]]:
    """Each vote, also one that was taken back, with why it does not count while that can still matter."""
    undecided = operation.status in (Status.AWAITING_APPROVAL, Status.QUEUED)
    why_not = {one.vote.pk: one.why_not for one in judge(operation, places)} if undecided else {}
    return [(vote, why_not.get(vote.pk, "")) for vote in _votes(operation)]


def needed(operation: Operation, places: Sequence[Environment]) -> int:
    """How many votes it needs: as many as when it was asked for, and more where the rules became stricter."""
    return max(operation.approvals_required, places[0].votes(operation.risk))


def has_votes(operation: Operation, places: Sequence[Environment]) -> bool:
    """Whether enough votes count now."""
    wanted = needed(operation, places)
    return wanted == 0 or len(counted(operation, places)) >= wanted


def why_not_votes(operation: Operation, places: Sequence[Environment]) -> str:
    """Why it may not begin: too few votes that count, and no broken glass in their place; or nothing."""
    wanted = needed(operation, places)
    judged = judge(operation, places) if wanted else []
    have = sum(not one.why_not for one in judged)
    if have >= wanted:
        return ""
    words = [f"{have} of {wanted} votes count.", *(one.why_not for one in judged)]
    if operation.glass_is_broken():
        why_not = _why_not_glass(operation, places)
        if not why_not:
            return ""
        words.append(why_not)
    return " ".join(filter(None, words))


def _why_not_glass(operation: Operation, places: Sequence[Environment]) -> str:
    by, said = operation.break_glass_by, glass_broken(operation)
    if by is None or said is None or said.name != by.username:
        return f"The ledger does not hold that {by} broke the glass for it."
    if not all(holds(by, GLASS, place) for place in places):
        return f"{by}, who broke the glass, may not do that any more."
    return why_not_signed(GLASS, operation, said, enrolments([said.name])[said.name])


def why_not_asker(asker: User, permission: str, place: Environment | None) -> str:
    """Why whoever asked for it could not ask now, or nothing."""
    if not asker.is_active:
        return f"{asker.username}, who requested it, is deactivated."
    if not holds(asker, permission, place):
        return f"{asker.username}, who requested it, may not do so{f' on {place}' if place else ''} any more."
    return ""


def why_not_yet(name: str, places: Sequence[Environment], history: list[Entry] | None = None) -> str:
    """Why the votes of somebody who may vote there do not count yet, or nothing."""
    known = histories([name])[name] if history is None else history
    for now in (standing(name, approver_on(place), known) for place in places):
        if now is None:
            return f"The ledger does not say who made {name} an approver; an admin confirms it under People."
        if not now.settled:
            return (
                f"{name} became an approver at {now.since:%Y-%m-%d %H:%M} UTC: the votes count from "
                f"{now.since + SETTLES_AFTER:%Y-%m-%d %H:%M} UTC, or once another admin confirms it under People."
            )
    return ""


def _why_not(vote: Approval, operation: Operation, places: Sequence[Environment], evidence: Evidence) -> str:
    person, asked = vote.approved_by, operation.content_sha256
    name = person.username
    if person.pk == operation.requested_by_id:
        return f"{name} requested it."
    if not person.is_active:
        return f"{name} is deactivated."
    if missing := [place for place in places if not holds(person, VOTE, place)]:
        return f"{name} may not vote on {missing[0]} any more."
    said = evidence.said.get(operation.pk, {}).get(name)
    if vote.content_sha256 != asked or said is None or said.content_sha256 != asked:
        return f"The ledger holds no vote of {name} for this content."
    if why_not := why_not_yet(name, places, evidence.histories[name]):
        return why_not
    keys = evidence.passkeys.get(name, [])
    return why_not_signed("operations.approve", operation, said, keys) if is_grave(operation) else ""
