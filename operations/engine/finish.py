"""How a claim ends. For good: status, secrets erased, open steps closed, ledger, and whoever waited for the exclusive
key. For now: the lease is given back, the key is kept, and the same step is due later."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction

from operations.accounts import SYSTEM
from operations.engine.claim import Lease, lock, write
from operations.engine.kinds import registry
from operations.engine.request import record_about
from operations.engine.specs import StepSpec
from operations.engine.wakeup import wake, wake_waiting
from operations.models import Operation, Outcome, Step, StepStatus, Task
from operations.models.operation import database_now
from operations.periodic.clock import database_time
from providers.redact import current as redactor
from providers.redact import redact

ALARM_AFTER = 3


def end(lease: Lease, status: str, error: str) -> None:
    """End the operation under its lease; raise LeaseLost when it is no longer ours."""
    error = redact(error)
    with transaction.atomic():
        operation = lock(lease)
        steps = Step.objects.filter(operation=operation)
        steps.filter(status=StepStatus.PENDING).update(status=StepStatus.SKIPPED)
        steps.filter(status=StepStatus.RUNNING).update(
            status=StepStatus.FAILED, ended_at=database_time(), error="Its process ended before it did."
        )
        write(
            lease,
            status=status,
            outcome=status if status in Outcome.values else "",
            error=error,
            sealed="",
            ended_at=database_time(),
            lease_until=None,
            lease_owner="",
        )
        _open_review(operation)
        wake_waiting(operation.exclusive_key)
        data: dict[str, Any] = {"error": error} if error else {}
        record_about(operation, f"operations.{status}", actor=SYSTEM, attempt=operation.attempt, **data)


def _open_review(operation: Operation) -> None:
    """One person may restore service alone; somebody else looks at what was done, once it was done."""
    kind, by = registry.kinds.get(operation.kind), operation.requested_by
    begun = operation.steps.exclude(status__in=[StepStatus.PENDING, StepStatus.SKIPPED]).exists()
    if kind is None or not kind.restores_service or operation.approvals_required or operation.seeded or not begun:
        return
    Task.objects.get_or_create(
        dedupe_key=f"alone:{operation.pk}",
        defaults={
            "kind": Task.Kind.REVIEW_RESTORE_OF_SERVICE,
            "title": f"Review what {by.username} did alone: {operation} on {operation.environment}"[:200],
            "body": operation.reason,
            "environment": operation.environment,
            "operation": operation,
            "not_by": by,
        },
    )


def wait(lease: Lease, row: Step) -> None:
    """Be due again after a pause of at most 15 minutes that grows with the attempts."""
    pause = min(settings.OPS_RETRY_SECONDS * 2 ** min(max(row.attempt - 1, 0), 8), 900)
    write(lease, due_at=database_now(pause), lease_until=None, lease_owner="")


def put_off(lease: Lease, row: Step, seconds: float, state: dict[str, Any]) -> None:
    """Be due again in so many seconds, or behind what its pool has to do now; the attempts are counted anew."""
    with transaction.atomic():
        operation = lock(lease)
        now = not seconds or operation.cancel_requested_at is not None
        Step.objects.filter(pk=row.pk).update(attempt=0, detail=redactor().value(state))
        write(lease, due_at=None if now else database_now(seconds), lease_until=None, lease_owner="")
        if now:
            wake(operation)


def next_always(rows: list[Step], specs: dict[str, StepSpec]) -> Step | None:
    """The first open always-step whose counterpart was started; those whose counterpart never ran stay skipped."""
    started = {row.name for row in rows if row.status != StepStatus.PENDING}
    for row in rows:
        if row.always and not row.ended and row.name in specs and _was_started(row, specs[row.name], rows, started):
            return row
    return None


def _was_started(row: Step, spec: StepSpec, rows: list[Step], started: set[str]) -> bool:
    if spec.undoes:
        return spec.undoes in started
    return any(other.name in started for other in rows if other.position < row.position)


def alarm(operation: Operation, row: Step, message: str) -> None:
    """After three failures, or when it can no longer run, open one task that people see; the retries go on."""
    if 0 < row.attempt < ALARM_AFTER:
        return
    Task.objects.get_or_create(
        dedupe_key=f"always:{operation.pk}:{row.name}",
        defaults={
            "kind": Task.Kind.ALWAYS_STEP_FAILING,
            "title": f"{row.name} of {operation.kind} keeps failing on {operation.environment}",
            "body": f"Tried {row.attempt} times; the portal goes on trying. Last error: {message}",
            "environment": operation.environment,
            "operation": operation,
        },
    )
