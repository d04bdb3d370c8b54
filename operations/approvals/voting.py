"""Approve, reject, revoke: a vote locks the operation, inserts, counts live votes and advances, in one transaction."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction

from ledger.authenticity import demand
from operations.authority import VOTE, holds, why_not
from operations.engine.cancel import confirm_ending
from operations.engine.deciding import places_of
from operations.engine.kinds import registry
from operations.engine.request import record_about, refusals_recorded
from operations.engine.wakeup import wake
from operations.engine.wording import said
from operations.models import Approval, Operation, Risk, Status
from operations.periodic.clock import database_time
from operations.periodic.isolation import one_by_one
from operations.votes.judge import counted, has_votes, why_not_yet
from operations.votes.signatures import is_grave, signature
from providers.errors import Refused

COUNTED_AT_ONCE = 200


def why_not_vote(operation: Operation, by: User) -> str:
    """The reason this person's vote is refused, or nothing; pages show it beside the disabled button."""
    if operation.requested_by_id == by.pk:
        return "You requested it; somebody else must approve it."
    places = places_of(operation)
    for place in places:
        if refusal := why_not(by, VOTE, place, "Only approvers vote."):
            return refusal
    if operation.status != Status.AWAITING_APPROVAL:
        return f"It is {operation.get_status_display().lower()} and takes no votes."
    if operation.expires_at < database_time():
        return "It has expired; it must be requested again."
    if any(vote.approved_by_id == by.pk for vote in counted(operation, places)):
        return "You have voted already."
    return why_not_yet(by.username, places)


def objection(operation: Operation) -> str:
    """What its kind says against any vote in its favour, or nothing; to refuse it is always possible."""
    kind = registry.kinds.get(operation.kind)
    return kind.objection(operation) if kind else ""


def typed_for(operation: Operation) -> str:
    """What whoever approves must type, on the page and in the shell; empty where nothing is destroyed."""
    kind = registry.kinds.get(operation.kind)
    if operation.risk != Risk.DESTRUCTIVE or kind is None:
        return ""
    return kind.confirm_text(operation.environment, operation.parameters)


def approve(operation: Operation, *, by: User, comment: str = "", channel: str = "admin") -> Operation:
    """One vote for exactly this content; the last missing one queues it. Raise Refused or PermissionDenied."""
    return _vote(operation, by, Approval.Decision.APPROVE, comment, channel)


def reject(operation: Operation, *, by: User, comment: str = "", channel: str = "admin") -> Operation:
    """One refusal ends the request."""
    return _vote(operation, by, Approval.Decision.REJECT, comment, channel)


def revoke(operation: Operation, *, by: User, channel: str = "admin") -> Operation:
    """Take one's own vote back, possible until a worker claims the operation."""
    with refusals_recorded(operation.kind, by, operation.environment):
        with transaction.atomic():
            row = _locked(operation.pk)
            if row.status not in (Status.AWAITING_APPROVAL, Status.QUEUED):
                raise Refused(f"Operation {row.pk} is {row.status}; the vote stands. Cancel the operation instead.")
            votes = Approval.objects.filter(operation=row, approved_by=by, decision="approve", revoked_at=None)
            if not votes.update(revoked_at=database_time()):
                raise Refused("You have no vote here to take back; nothing was changed.")
            confirm_ending("operations.revoke", row, by)
            if row.status == Status.QUEUED and not row.glass_is_broken() and not has_votes(row, places_of(row)):
                Operation.objects.advance(row.pk, Status.QUEUED, Status.AWAITING_APPROVAL)
            record_about(row, "operations.approval_revoked", actor=by.username, channel=channel)
    row.refresh_from_db()
    return row


def reevaluate() -> None:
    """Queue whatever has its votes although its last voter's process died; called by tick. However many wait, each has
    its turn."""
    waiting = Operation.objects.filter(status=Status.AWAITING_APPROVAL, seeded=False)
    one_by_one(waiting.order_by("?")[:COUNTED_AT_ONCE], _count_again)


@transaction.atomic
def _count_again(operation: Operation) -> None:
    _advance_if_enough(_locked(operation.pk))


def _vote(operation: Operation, by: User, decision: str, comment: str, channel: str) -> Operation:
    with refusals_recorded(operation.kind, by, operation.environment):
        with transaction.atomic():
            demand()
            row = _locked(operation.pk)
            reason = why_not_vote(row, by)
            if reason:
                may_vote = row.requested_by_id != by.pk and all(holds(by, VOTE, place) for place in places_of(row))
                error = Refused if may_vote else PermissionDenied
                raise error(f"{reason} Nothing was changed.")
            if decision == Approval.Decision.APPROVE and (why := objection(row)):
                raise Refused(f"{why} Nothing was changed.")
            comment = said(comment)
            signed = _confirm(decision, row, by)
            Approval.objects.update_or_create(
                operation=row,
                approved_by=by,
                defaults={
                    "requested_by_id": row.requested_by_id,
                    "content_sha256": row.content_sha256,
                    "decision": decision,
                    "comment": comment,
                    "channel": channel,
                    "approved_at": database_time(),
                    "revoked_at": None,
                },
            )
            if decision == Approval.Decision.REJECT:
                said_so = f"Rejected by {by.username}. {comment}".strip()
                ended = {"ended_at": database_time(), "error": said_so, "sealed": ""}
                Operation.objects.advance(row.pk, Status.AWAITING_APPROVAL, Status.REJECTED, **ended)
            verb = "approved" if decision == Approval.Decision.APPROVE else "rejected"
            asked, told = row.content_sha256, {"channel": channel, **signed}
            record_about(row, f"operations.{verb}", actor=by.username, comment=comment, content_sha256=asked, **told)
            if decision == Approval.Decision.APPROVE:
                _advance_if_enough(row)  # after its entry, without which no vote counts
    row.refresh_from_db()
    return row


def _confirm(decision: str, row: Operation, by: User) -> dict[str, Any]:
    """A vote lowers what guards the product, a refusal what protects it: by what the operation does. StepUpNeeded.

    Answers what the entry keeps of it: a passkey's signature under a vote.
    """
    if decision == Approval.Decision.REJECT:
        confirm_ending("operations.reject", row, by)
    elif is_grave(row):
        return signature(by, "operations.approve", row)
    return {}


def _advance_if_enough(row: Operation) -> None:
    if row.status == Status.AWAITING_APPROVAL and has_votes(row, places_of(row)):
        Operation.objects.advance(row.pk, Status.AWAITING_APPROVAL, Status.QUEUED, error="")
        row.status = Status.QUEUED
        wake(row)


def _locked(pk: str) -> Operation:
    return Operation.objects.select_for_update(of=("self",)).select_related("environment").get(pk=pk)
