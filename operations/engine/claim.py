"""The lease: one conditional UPDATE decides which worker owns an operation; every later write shows its fence."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now

from operations.accounts import SYSTEM
from operations.authority import VOTE, holders
from operations.engine.deciding import places_of
from operations.engine.kinds import registry
from operations.engine.request import record_about
from operations.models import Operation, Status
from operations.models.operation import database_now
from operations.models.ulid import new_ulid
from operations.navigation import page_of
from operations.notify.outbox import addresses, enqueue
from operations.periodic.clock import database_time
from operations.votes.asked import unasked
from operations.votes.judge import why_not_asker, why_not_votes
from providers import redact

SPOKEN = frozenset({"error", "result", "progress"})


@dataclass(frozen=True)
class Lease:
    """What a worker holds: the operation, and the number that its writes must match."""

    operation_id: str
    fence: int
    owner: str


@dataclass(frozen=True)
class Gap:
    """Authority that is missing, and how that ends it: votes may still come, but not in place of whoever asked."""

    reason: str
    is_final: bool
    why: str = ""


class LeaseLost(Exception):
    """Another claim has taken over, or the lease ran out; nothing more may be written."""


def claim(operation_id: str, owner: str) -> Lease | None:
    """Take the lease, bump fence and attempt; None when it is not due, held, its exclusive key is taken, or its votes
    do not count any more."""
    try:
        with transaction.atomic():
            if not _may_begin(operation_id):
                return None
            claimed = (
                Operation.objects.due()
                .filter(pk=operation_id)
                .update(
                    status=Status.RUNNING,
                    lease_owner=owner[:120],
                    lease_until=database_now(settings.OPS_LEASE_SECONDS),
                    fence=F("fence") + 1,
                    attempt=F("attempt") + 1,
                    started_at=Coalesce("started_at", Now()),
                    due_at=None,
                )
            )
            if not claimed:
                return None
            fence = Operation.objects.values_list("fence", flat=True).get(pk=operation_id)
            return Lease(operation_id, fence, owner)
    except IntegrityError:
        return None


def _may_begin(operation_id: str) -> bool:
    """Judge a queued operation in the claim's own transaction: it waits for votes again, or ends where nobody may."""
    due = Operation.objects.due().filter(pk=operation_id, status=Status.QUEUED)
    row = due.select_for_update(of=("self",)).select_related("environment").first()
    gap = gap_of(row) if row is not None else None
    if row is None or gap is None:
        return True
    if gap.is_final:
        ended = {"ended_at": database_time(), "error": gap.reason, "sealed": ""}
        Operation.objects.advance(row.pk, Status.QUEUED, Status.EXPIRED, **ended)
        record_about(row, "operations.expired", actor=SYSTEM, error=gap.reason)
        return False
    reason = f"{gap.why} Nothing was run; it waits for votes again."
    Operation.objects.advance(row.pk, Status.QUEUED, Status.AWAITING_APPROVAL, due_at=None, error=reason)
    _tell_approvers(row, reason)
    record_about(row, "operations.votes_missing", actor=SYSTEM, reason=reason)
    return False


def gap_of(row: Operation) -> Gap | None:
    """What of its authority is missing at this moment; None: it may begin. The people stay as they are until the end
    of the transaction, whose caller holds the operation's row.
    """
    voters = row.approvals.filter(decision="approve", revoked_at=None).values_list("approved_by", flat=True)
    ids = {row.requested_by_id, row.break_glass_by_id or row.requested_by_id, *voters}
    people = {one.pk: one for one in User.objects.select_for_update().filter(pk__in=ids).order_by("pk")}
    kind = registry.kinds.get(row.kind)
    asker = people[row.requested_by_id]
    asked_of = kind.asked_of(row.environment) if kind is not None else None
    for permission in (kind.permission, *kind.also_needs) if kind is not None else ():
        if why := why_not_asker(asker, permission, asked_of):
            return Gap(f"{why} Nothing was run. Somebody who may do it requests it again.", is_final=True)
    if unasked([row]):
        why = f"The ledger does not hold that {asker.username} requested it."
        return Gap(f"{why} Nothing was run. Request it again.", is_final=True)
    if not (why := why_not_votes(row, places_of(row))):
        return None
    return Gap(f"{why} Nothing was run. Request it again.", is_final=row.expires_at < database_time(), why=why)


def _tell_approvers(row: Operation, reason: str) -> None:
    subject = f"Votes are missing: {row} on {row.environment}"
    path = page_of(row)
    voters = addresses(holders(VOTE, places_of(row)[0]))
    enqueue(f"votes-missing:{new_ulid()}", subject=subject, body=reason, path=path, to=voters)


def extend(lease: Lease, **fields: object) -> bool:
    """Push the lease's end out by one lease time (and store progress); False when the lease is lost."""
    held = Operation.objects.held(lease.operation_id, lease.fence)
    return held.update(lease_until=database_now(settings.OPS_LEASE_SECONDS), **_without_secrets(fields)) == 1


def write(lease: Lease, **fields: object) -> None:
    """Change the operation's row under the lease; raise LeaseLost when it is no longer ours."""
    if not Operation.objects.held(lease.operation_id, lease.fence).update(**_without_secrets(fields)):
        raise LeaseLost(lease.operation_id)


def _without_secrets(fields: dict[str, object]) -> dict[str, object]:
    """What a step says (error, result, progress) is shown to everybody who may look."""
    redactor = redact.current()
    return {name: redactor.value(value) if name in SPOKEN else value for name, value in fields.items()}


def lock(lease: Lease) -> Operation:
    """The row, locked until the transaction ends, while the lease is ours; raise LeaseLost otherwise."""
    held = Operation.objects.held(lease.operation_id, lease.fence)
    row = held.select_for_update(of=("self",)).select_related("environment", "requested_by").first()
    if row is None:
        raise LeaseLost(lease.operation_id)
    return row
