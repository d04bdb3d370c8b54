"""The judge of votes: each one counts, or says why it does not. The claim, voting, the tick and every page ask here.

In: an operation and the environments that it reaches, the deciding one first. Out: its living votes, judged as of now.
Reads only; whoever acts on the answer holds the operation's row, and at its beginning the people's rows too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from ledger.authenticity import is_genuine
from ledger.models import Entry
from operations.authority import VOTE, holds
from operations.models import Approval, Environment, Operation, Status
from operations.votes.standing import KNOWN, SETTLES_AFTER, approver_on, histories, standing, written_down

GLASS = "operations.break_glass"  # the permission, and the code of the entry
APPROVED = "operations.approved"
_SAID = (APPROVED, "operations.rejected", "operations.approval_revoked")


@dataclass(frozen=True)
class Judged:
    """A vote that was not taken back; `why_not` is empty where it counts."""

    vote: Approval
    why_not: str


@dataclass(frozen=True)
class Evidence:
    """What the ledger holds of some operations: how their voters came to vote, and for which digest each voted."""

    histories: dict[str, list[Entry]]
    said: dict[str, dict[str, str]]


def judge(operation: Operation, places: Sequence[Environment], evidence: Evidence | None = None) -> list[Judged]:
    """Every vote for it that was not taken back; a page of many operations reads their evidence at once."""
    living = _living(operation)
    known = evidence or (_evidence([operation], {_name(vote) for vote in living}) if living else Evidence({}, {}))
    return [Judged(vote, _why_not(vote, operation, places, known)) for vote in living]


def evidence_of(operations: Sequence[Operation], *others: User) -> Evidence:
    """Two queries, besides the votes and their people where these were not prefetched."""
    names = {_name(vote) for operation in operations for vote in _living(operation)}
    return _evidence(operations, names | {person.username for person in others})


def _evidence(operations: Sequence[Operation], names: set[str]) -> Evidence:
    return Evidence(histories(names), _said(operations))


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
        by = operation.break_glass_by
        if by is None or _broke_the_glass(operation) != by.username:
            words.append(f"The ledger does not hold that {by} broke the glass for it.")
        elif not all(holds(by, GLASS, place) for place in places):
            words.append(f"{by}, who broke the glass, may not do that any more.")
        else:
            return ""
    return " ".join(filter(None, words))


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
    if vote.content_sha256 != asked or evidence.said.get(operation.pk, {}).get(name) != asked:
        return f"The ledger holds no vote of {name} for this content."
    return why_not_yet(name, places, evidence.histories[name])


def _broke_the_glass(operation: Operation) -> str:
    """Who did, by the newest entry about it that this portal wrote, while the window that it names is open."""
    entries = Entry.objects.filter(subject=operation.pk, code=GLASS).order_by("-sequence")
    newest = next(filter(is_genuine, entries), None)
    until = str(newest.payload.get("until", "")) if newest else ""
    return newest.actor if newest and until and datetime.fromisoformat(until) > timezone.now() else ""


def _said(operations: Sequence[Operation]) -> dict[str, dict[str, str]]:
    """By operation and person the digest last voted for, according to the entries that this portal wrote."""
    asked = {operation.pk: operation.content_sha256 for operation in operations}
    said: dict[str, dict[str, str]] = {pk: {} for pk in asked}
    for entry in Entry.objects.filter(Q(subject__in=asked, code__in=_SAID) | Q(code=KNOWN)).order_by("sequence"):
        if not is_genuine(entry):
            continue
        if entry.code == KNOWN:
            for pk in asked:
                said[pk] |= dict.fromkeys(written_down(entry, "votes").get(pk, ()), asked[pk])
        else:
            digest = entry.payload.get("content_sha256") if entry.code == APPROVED else ""
            said[entry.subject][entry.actor] = str(digest)
    return said
