"""The lease: one conditional UPDATE decides which worker owns an operation; every later write shows its fence."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now

from operations.models import Operation, Status
from operations.models.operation import database_now
from providers import redact

SPOKEN = frozenset({"error", "result", "progress"})


@dataclass(frozen=True)
class Lease:
    """What a worker holds: the operation, and the number that its writes must match."""

    operation_id: str
    fence: int
    owner: str


class LeaseLost(Exception):
    """Another claim has taken over, or the lease ran out; nothing more may be written."""


def claim(operation_id: str, owner: str) -> Lease | None:
    """Take the lease, bump fence and attempt; None when it is not due, held, or its exclusive key is taken."""
    try:
        with transaction.atomic():
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
