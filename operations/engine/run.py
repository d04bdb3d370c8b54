"""A worker runs what it claimed: journaled steps, one after another, until the pool changes or the operation ends."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from operations.engine import kinds
from operations.engine.always import alarm, next_always
from operations.engine.claim import Lease, LeaseLost, claim, lock, write
from operations.engine.content import content_sha256
from operations.engine.context import Cancelled, StepContext
from operations.engine.heartbeat import EndProcess, beating, kill_own_group
from operations.engine.request import record_about
from operations.engine.wake import wake, wake_waiting
from operations.models import Operation, Outcome, Status, Step, StepStatus
from operations.trace import operating
from providers.errors import ProviderError, Refused
from providers.redact import current as redactor
from providers.redact import redact

logger = logging.getLogger("operations.run")


def run_operation(
    operation_id: str, owner: str, pools: frozenset[str], end_process: EndProcess = kill_own_group
) -> str | None:
    """Claim and run as far as `pools` reach; the status afterwards, or None when there was nothing to claim."""
    lease = claim(operation_id, owner)
    if lease is None:
        return None
    with operating(operation_id):
        try:
            kind = _accept(lease)
            while kind is not None and _advance(lease, kind, pools, end_process):
                pass
        except LeaseLost:
            logger.warning("another claim took over %s", operation_id)
    return Operation.objects.values_list("status", flat=True).get(pk=operation_id)


def _accept(lease: Lease) -> kinds.OperationKind | None:
    """Compare what is to run with what was asked; end it as expired where they differ, before any step."""
    operation = Operation.objects.select_related("environment").get(pk=lease.operation_id)
    untouched = not operation.steps.exclude(status=StepStatus.PENDING).exists()
    try:
        kind = kinds.get(operation.kind)
        _same_steps(operation, kind)
        if untouched:
            _same_content(operation, kind)
        return kind
    except Refused as refusal:
        _end(lease, Status.EXPIRED if untouched else Status.FAILED, refusal.reason)
    return None


def _same_steps(operation: Operation, kind: kinds.OperationKind) -> None:
    stored = list(operation.steps.values_list("name", flat=True))
    if stored != [one.name for one in kind.resolved_steps()]:
        raise Refused(f"The steps of {kind.name} changed since this was requested. Request it again.")


def _same_content(operation: Operation, kind: kinds.OperationKind) -> None:
    now = content_sha256(kind, operation.environment, operation.parameters)
    if now != operation.content_sha256:
        raise Refused(
            f"What would run changed since it was asked (digest {operation.content_sha256[:12]} then, {now[:12]} now). "
            "Nothing was run. Request it again."
        )
    risk = kind.assess(operation.environment, operation.parameters)
    if risk != operation.risk:
        raise Refused(f"The risk was {operation.risk} when asked and is {risk} now. Nothing was run. Request it again.")


def _advance(lease: Lease, kind: kinds.OperationKind, pools: frozenset[str], end_process: EndProcess) -> bool:
    """Run the next step; False when the operation ended, was handed to another pool or waits for its next try."""
    with transaction.atomic():
        operation = lock(lease)
        row, spec = _next(operation, kind)
        if row is None or spec is None:
            _finish(lease, operation)
            return False
        if row.pool not in pools:
            write(lease, pool=row.pool, lease_until=None, lease_owner="")
            operation.pool = row.pool
            wake(operation)
            return False
        if not row.always and row.attempt >= settings.OPS_MAX_ATTEMPTS:
            _decide(lease, Outcome.FAILED, f"Step {row.name} was tried {row.attempt} times without an end; stopped.")
            return True
        row.attempt += 1
        Step.objects.filter(pk=row.pk).update(
            status=StepStatus.RUNNING, attempt=row.attempt, started_at=timezone.now(), ended_at=None
        )
    return _run_step(StepContext(operation, row, spec, lease), end_process)


def _next(operation: Operation, kind: kinds.OperationKind) -> tuple[Step | None, kinds.StepSpec | None]:
    """The next open step; once an outcome is decided only always-steps whose counterpart was started count."""
    specs = {one.name: one for one in kind.resolved_steps()}
    rows = list(operation.steps.all())
    if not operation.outcome and operation.cancel_requested_at is not None:
        operation.outcome = Outcome.CANCELLED
        Operation.objects.filter(pk=operation.pk).update(outcome=Outcome.CANCELLED)
    row = next_always(rows, specs) if operation.outcome else next((one for one in rows if not one.ended), None)
    return row, specs[row.name] if row else None


def _run_step(context: StepContext, end_process: EndProcess) -> bool:
    row = context.row
    try:
        with beating(context, end_process):
            context.spec.run(context)
            context.store_progress()
    except LeaseLost:
        raise
    except Cancelled:
        _close_step(context, StepStatus.FAILED, "cancelled")
        _decide(context.lease, Outcome.CANCELLED, "")
        return True
    except Exception as error:
        return _failed(context, error)
    if context.lost.is_set():
        raise LeaseLost(context.operation.pk)
    _close_step(context, StepStatus.SUCCEEDED, "")
    logger.info("step %s succeeded", row.name, extra={"operation": context.operation.pk})
    return True


def _failed(context: StepContext, error: Exception) -> bool:
    """Journal the failure; try again later where that can help, else decide the outcome and go on to always-steps."""
    retryable = isinstance(error, ProviderError) and error.retryable
    known = isinstance(error, ProviderError | Refused)
    message = str(error) if known else f"{type(error).__name__}: {error}"
    logger.log(
        logging.WARNING if known else logging.ERROR,
        "step %s failed: %s",
        context.row.name,
        message,
        exc_info=None if known else error,
        extra={"operation": context.operation.pk},
    )
    _close_step(context, StepStatus.FAILED, message)
    if context.row.always:
        alarm(context.operation, context.row, message)
    elif not retryable or context.row.attempt >= settings.OPS_MAX_ATTEMPTS:
        _decide(context.lease, Outcome.FAILED, message)
        return True
    wait = min(settings.OPS_RETRY_SECONDS * 2 ** min(context.row.attempt - 1, 8), 900)
    write(context.lease, due_at=timezone.now() + timedelta(seconds=wait), lease_until=None, lease_owner="")
    return False


def _close_step(context: StepContext, status: str, error: str) -> None:
    with transaction.atomic():
        lock(context.lease)
        Step.objects.filter(pk=context.row.pk).update(
            status=status, ended_at=timezone.now(), error=redact(error), detail=redactor().value(context.state)
        )


def _decide(lease: Lease, outcome: str, error: str) -> None:
    write(lease, outcome=outcome, error=error)


def _finish(lease: Lease, operation: Operation) -> None:
    outcome = operation.outcome or Outcome.SUCCEEDED
    _end(lease, str(outcome), operation.error)


def _end(lease: Lease, status: str, error: str) -> None:
    """The terminal write: status, sealed values erased, ledger, and whoever waited for the exclusive key."""
    with transaction.atomic():
        operation = lock(lease)
        Step.objects.filter(operation=operation, status=StepStatus.PENDING).update(status=StepStatus.SKIPPED)
        write(
            lease,
            status=status,
            outcome=status if status in Outcome.values else "",
            error=error,
            sealed="",
            ended_at=timezone.now(),
            lease_until=None,
            lease_owner="",
        )
        wake_waiting(operation.exclusive_key)
        data: dict[str, Any] = {"error": error} if error else {}
        record_about(operation, f"operations.{status}", actor="system", attempt=operation.attempt, **data)
