"""How the demo's story ends an operation that nobody ran (DEMO=1 only); the row and its ledger entries say `seeded`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from operations.accounts import SYSTEM
from operations.engine.request import record_about
from operations.models import Approval, Operation, Status, Step, StepStatus, Task
from providers.errors import Refused


def end(
    operation: Operation, status: str, *, at: datetime, seconds: float, error: str = "", result: object = None
) -> None:
    """End a seeded operation as a worker would have: steps journaled, terminal status, one ledger entry."""
    _only_seeded(operation)
    with transaction.atomic():
        if status in (Status.SUCCEEDED, Status.FAILED):
            _journal(operation, status, at, seconds, error)
            Operation.objects.advance(operation.pk, operation.status, Status.RUNNING, started_at=at, attempt=1)
            operation.status = Status.RUNNING
        ended_at = at + timedelta(seconds=seconds)
        ended = {"ended_at": ended_at, "error": error, "result": result or {}}
        outcome = status if status in (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED) else ""
        Operation.objects.advance(operation.pk, operation.status, status, outcome=outcome, **ended)
        data: dict[str, Any] = {"error": error} if error else {}
        record_about(operation, f"operations.{status}", actor=SYSTEM, at=ended_at, **data)


def vote(operation: Operation, by: User, *, at: datetime, approve: bool = True, comment: str = "") -> None:
    """A vote of the story; enough of them queue the operation."""
    _only_seeded(operation)
    with transaction.atomic():
        Approval.objects.create(
            operation=operation,
            requested_by_id=operation.requested_by_id,
            content_sha256=operation.content_sha256,
            approved_by=by,
            approved_at=at,
            decision="approve" if approve else "reject",
            comment=comment,
        )
        given = operation.approvals.filter(decision="approve").count()
        if approve and given >= operation.approvals_required:
            Operation.objects.advance(operation.pk, Status.AWAITING_APPROVAL, Status.QUEUED)
            operation.status = Status.QUEUED
        record_about(operation, f"operations.{'approved' if approve else 'rejected'}", actor=by.username, at=at)


def break_glass(operation: Operation, by: User, reason: str, *, at: datetime) -> None:
    """A break-glass of the story, with the task that somebody else still has to close."""
    _only_seeded(operation)
    with transaction.atomic():
        Operation.objects.advance(
            operation.pk,
            Status.AWAITING_APPROVAL,
            Status.QUEUED,
            break_glass_by=by,
            break_glass_reason=reason,
            break_glass_from=at,
            break_glass_until=datetime.max.replace(tzinfo=at.tzinfo) - timedelta(days=1),
        )
        operation.status = Status.QUEUED
        Task.objects.create(
            kind=Task.Kind.REVIEW_BREAK_GLASS,
            title=f"Review the break-glass of {by.username}: {operation.kind} on {operation.environment}",
            body=reason,
            environment=operation.environment,
            operation=operation,
            not_by=by,
            opened_at=at,
            dedupe_key=f"break-glass:{operation.pk}",
        )
        record_about(operation, "operations.break_glass", actor=by.username, at=at, reason=reason)


def _journal(operation: Operation, status: str, at: datetime, seconds: float, error: str) -> None:
    steps = list(operation.steps.all())
    share = timedelta(seconds=seconds / max(1, len(steps)))
    for number, row in enumerate(steps):
        failed = status == Status.FAILED and number == len(steps) // 2
        Step.objects.filter(pk=row.pk).update(
            status=StepStatus.FAILED if failed else StepStatus.SUCCEEDED,
            attempt=1,
            started_at=at + share * number,
            ended_at=at + share * (number + 1),
            error=error if failed else "",
        )


def _only_seeded(operation: Operation) -> None:
    if not (settings.DEMO and operation.seeded):
        raise Refused("Only the demo's story may be told this way. Nothing was changed.")
