"""A worker runs what it claimed: journaled steps, one after another, until the pool changes or the operation ends."""

from __future__ import annotations

import logging

import psycopg
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from operations.engine.claim import Lease, LeaseLost, claim, extend, gap_of, lock, write
from operations.engine.claim_checks import Specs, accept, still_enough
from operations.engine.context import Cancelled, Limits, NotYet, StepContext
from operations.engine.finish import alarm, end, next_always, put_off, wait
from operations.engine.heartbeat import EndProcess, beating, kill_own_group
from operations.engine.specs import StepFunction
from operations.engine.wakeup import wake
from operations.log_context import operating
from operations.models import Operation, Outcome, Status, Step, StepStatus
from operations.models.operation import database_now
from operations.periodic import calls
from operations.periodic.clock import database_time
from operations.votes.begun import has_begun, mark_of
from providers import postgres
from providers.errors import ProviderError, Refused
from providers.redact import current as redactor
from providers.redact import forget_learned, redact

logger = logging.getLogger("operations.run")
CONNECTION = (OperationalError, InterfaceError)  # of the portal's own database: whatever ran is tried again


def run_operation(
    operation_id: str, owner: str, pools: frozenset[str], end_process: EndProcess = kill_own_group
) -> str | None:
    """Claim and run as far as `pools` reach; the status afterwards, or None when there was nothing to claim."""
    try:
        lease = claim(operation_id, owner)
    except CONNECTION as error:
        logger.warning("the portal's database failed before %s was claimed; it is woken again: %s", operation_id, error)
        _connect_anew()
        return None
    if lease is None:
        return None
    with operating(operation_id):
        try:
            specs = accept(lease)
            while specs is not None and _advance(lease, specs, pools, end_process):
                pass
        except LeaseLost:
            logger.warning("another claim took over %s", operation_id)
        except CONNECTION as error:
            _give_back(lease, error)
        finally:
            forget_learned()
    try:
        calls.keep()
        return Operation.objects.values_list("status", flat=True).get(pk=operation_id)
    except CONNECTION:
        _connect_anew()
        return None


def _advance(lease: Lease, specs: Specs, pools: frozenset[str], end_process: EndProcess) -> bool:
    """Run the next step; False when the operation ended, was handed to another pool or waits for its next try."""
    with transaction.atomic():
        operation = lock(lease)
        row = _next(operation, specs)
        if row is None:
            end(lease, str(operation.outcome or Outcome.SUCCEEDED), operation.error)
            return False
        if row.pool not in pools:
            write(lease, pool=row.pool, lease_until=None, lease_owner="")
            operation.pool = row.pool
            wake(operation)
            return False
        if not operation.outcome and not has_begun(operation, operation.steps.all()):
            if gap := gap_of(operation):
                return _not_begun(lease, operation, gap.reason)
            write(lease, begun=mark_of(operation))
        if row.always and row.status == StepStatus.RUNNING:
            _always_died(lease, operation, row)
            return False
        if not row.always and row.attempt >= settings.OPS_MAX_ATTEMPTS:
            write(
                lease,
                outcome=Outcome.FAILED,
                error=f"Step {row.name} was tried {row.attempt} times without an end; stopped.",
            )
            return True
        extend(lease)  # the heartbeat does not see a step that is shorter than its pause
        row.attempt += 1
        Step.objects.filter(pk=row.pk).update(
            status=StepStatus.RUNNING, attempt=row.attempt, started_at=database_time(), ended_at=None
        )
    spec = specs[row.name]
    return _run_step(StepContext(operation, row, Limits(spec.deadline, spec.stall), lease), spec.run, end_process)


def _not_begun(lease: Lease, operation: Operation, reason: str) -> bool:
    """Its authority is gone since the claim. Where rows say that steps ran, what undoes them runs: True."""
    if operation.steps.exclude(status=StepStatus.PENDING).exists():
        write(lease, outcome=Outcome.FAILED, error=reason)
        return True
    end(lease, Status.EXPIRED, reason)
    return False


def _next(operation: Operation, specs: Specs) -> Step | None:
    """The next open step; once an outcome is decided only always-steps whose counterpart was started count."""
    rows = list(operation.steps.all())
    if not operation.outcome and operation.cancel_requested_at is not None:
        operation.outcome = Outcome.CANCELLED
        Operation.objects.filter(pk=operation.pk).update(outcome=Outcome.CANCELLED)
    if operation.outcome:
        return next_always(rows, specs)
    return next((row for row in rows if not row.ended), None)


def _always_died(lease: Lease, operation: Operation, row: Step) -> None:
    """An always-step whose process ended in the middle: journal that, alarm in time, and wait before the next try."""
    error = "Its process ended before it did."
    Step.objects.filter(pk=row.pk).update(status=StepStatus.FAILED, ended_at=database_time(), error=error)
    alarm(operation, row, error)
    wait(lease, row)


def _run_step(context: StepContext, run: StepFunction, end_process: EndProcess) -> bool:
    try:
        with beating(context, end_process):
            if not context.row.always:
                still_enough(context.operation)
            run(context)
            context.store_progress()
    except LeaseLost:
        raise
    except Cancelled as cancelled:
        with transaction.atomic():
            _close_step(context, StepStatus.FAILED, "cancelled")
            write(context.lease, outcome=Outcome.CANCELLED, error=str(cancelled))
        return True
    except NotYet as later:
        put_off(context.lease, context.row, later.seconds, context.state)
        return False
    except Exception as error:
        return _failed(context, error)
    if context.lost.is_set():
        raise LeaseLost(context.operation.pk)
    _close_step(context, context.ends_as, "")
    logger.info("step %s %s", context.row.name, context.ends_as)
    return True


def _failed(context: StepContext, error: Exception) -> bool:
    """Journal the failure; try again later where that can help, else decide the outcome and go on to always-steps."""
    if isinstance(error, psycopg.Error):  # of a database outside, which the step itself did not put into words
        error = postgres.explain(error, f"Step {context.row.name}")
    retryable = isinstance(error, CONNECTION) or (isinstance(error, ProviderError) and error.retryable)
    if isinstance(error, CONNECTION):
        _connect_anew()
    known = isinstance(error, ProviderError | Refused)
    message = redact(str(error) if known else f"{type(error).__name__}: {error}")
    level = logging.WARNING if known else logging.ERROR
    logger.log(level, "step %s failed: %s", context.row.name, message, exc_info=None if known else error)
    with transaction.atomic():
        _close_step(context, StepStatus.FAILED, message)
        if context.row.always:
            alarm(context.operation, context.row, message)
        elif not retryable or context.row.attempt >= settings.OPS_MAX_ATTEMPTS:
            write(context.lease, outcome=Outcome.FAILED, error=message)
            return True
        wait(context.lease, context.row)
    return False


def _give_back(lease: Lease, error: Exception) -> None:
    """Our own database ended the session between two steps: nothing was decided, and it goes on in a moment. Where even
    that cannot be written, the lease runs out."""
    logger.warning("the portal's database failed while %s ran; it goes on: %s", lease.operation_id, error)
    _connect_anew()
    try:
        due = database_now(settings.OPS_RETRY_SECONDS)
        write(lease, due_at=due, lease_until=None, lease_owner="")
    except (*CONNECTION, LeaseLost) as lost:
        logger.warning("the lease of %s runs out by itself: %s", lease.operation_id, lost)


def _connect_anew() -> None:
    """A session that the server ended stays broken until it is closed; a transaction of a caller is left to it."""
    if not connection.in_atomic_block:
        connection.close()


def _close_step(context: StepContext, status: str, error: str) -> None:
    with transaction.atomic():
        lock(context.lease)
        Step.objects.filter(pk=context.row.pk).update(
            status=status, ended_at=database_time(), error=redact(error), detail=redactor().value(context.state)
        )
