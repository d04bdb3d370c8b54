"""What a claim checks before its first step: still what was asked, still allowed, still known to the code?

In: a lease. Out: the steps by name, or None when the operation was ended or put off here.
"""

from __future__ import annotations

import logging

from django.conf import settings

from operations.binding import refuse_rebound
from operations.databases import refuse_too_few_votes
from operations.engine import kinds
from operations.engine import specs as engine_specs
from operations.engine.claim import Lease, write
from operations.engine.finish import alarm, end
from operations.engine.sealing import content_sha256
from operations.models import Operation, Outcome, Status, Step, StepStatus
from operations.models.operation import database_now
from operations.periodic.clock import database_time
from operations.votes.begun import has_begun
from providers.errors import Refused

logger = logging.getLogger("operations.accept")
Specs = dict[str, engine_specs.StepSpec]


def accept(lease: Lease) -> Specs | None:
    """Ended here: `expired` before its first step, `failed` when it was tried too often without reaching one."""
    operation = Operation.objects.select_related("environment").get(pk=lease.operation_id)
    rows = list(operation.steps.all())
    untouched = all(row.status == StepStatus.PENDING for row in rows)
    begun = has_begun(operation, rows)
    if untouched and operation.attempt > settings.OPS_MAX_ATTEMPTS:
        end(lease, Status.FAILED, f"It was claimed {operation.attempt} times without reaching its first step; stopped.")
        return None
    try:
        kind = kinds.get(operation.kind)
        specs = {spec.name: spec for spec in kind.resolved_steps(operation.parameters)}
        _same_steps(rows, specs, kind)
        if not begun and operation.cancel_requested_at is None:
            _still_allowed(operation, kind)
        return specs
    except Refused as refusal:
        if untouched:
            end(lease, Status.EXPIRED, refusal.reason)
            return None
        return _only_always(lease, operation, rows, refusal.reason)
    except Exception as error:
        logger.exception("operation %s could not be accepted", operation.pk)
        _put_off(lease, operation, error)
        return None


def _same_steps(rows: list[Step], specs: Specs, kind: kinds.OperationKind) -> None:
    if [row.name for row in rows] != list(specs):
        raise Refused(f"The steps of {kind.name} changed since this was requested. Request it again.")


def _still_allowed(operation: Operation, kind: kinds.OperationKind) -> None:
    """Raise Refused where time, freeze, content or risk say no; nothing has run yet. Votes are the claim's."""
    environment = operation.environment
    if operation.expires_at < database_time():
        raise Refused("It waited longer than 72 hours. Nothing was run. Request it again.")
    refuse_rebound(operation, kind.connections(operation.parameters))
    if (frozen := environment.frozen_by()) and not kind.allowed_in_freeze:
        raise Refused(f"{frozen} was frozen meanwhile: {frozen.freeze_reason}. Nothing was run.")
    kinds.look_outside(kind.name, environment, operation.parameters)
    for check in kinds.registry.guards.get(kind.name, []):
        check(environment, operation.parameters)
    now = content_sha256(kind, environment, operation.parameters, operation.bound or {})
    if now != operation.content_sha256:
        why = kind.why_changed(environment, operation.parameters)
        digests = f"digest {operation.content_sha256[:12]} then, {now[:12]} now"
        raise Refused(f"What would run changed since it was asked ({digests}). {why}Nothing was run. Request it again.")
    risk = kind.assess(environment, operation.parameters)
    if risk != operation.risk:
        raise Refused(f"The risk was {operation.risk} when asked and is {risk} now. Nothing was run. Request it again.")


def still_enough(operation: Operation) -> None:
    """Before each step: its database did not turn out to be a stricter environment's too. Raises Refused."""
    kind = kinds.registry.kinds.get(operation.kind)
    if kind is not None and kind.connections(operation.parameters):
        refuse_too_few_votes(operation, operation.environment)


def _only_always(lease: Lease, operation: Operation, rows: list[Step], reason: str) -> Specs:
    """The code changed in mid-life: fail it, run the always-steps that still resolve, tell people about the others."""
    if not operation.outcome:
        write(lease, outcome=Outcome.FAILED, error=reason)
    known: Specs = dict(kinds.registry.factories)
    kind = kinds.registry.kinds.get(operation.kind)
    if kind is not None:
        known |= {
            spec.name: spec for spec in kind.steps_of(operation.parameters) if isinstance(spec, engine_specs.StepSpec)
        }
    for row in rows:
        if row.always and not row.ended and row.name not in known:
            alarm(operation, row, f"{reason} The step {row.name} no longer exists; do by hand what it would have done.")
            Step.objects.filter(pk=row.pk).update(status=StepStatus.SKIPPED, error=reason)
    return known


def _put_off(lease: Lease, operation: Operation, error: Exception) -> None:
    """Something outside did not answer while checking: try again later, a bounded number of times."""
    reason = f"It could not be checked before its first step: {type(error).__name__}: {error}"
    if operation.cancel_requested_at is not None or operation.attempt >= settings.OPS_MAX_ATTEMPTS:
        end(lease, Status.CANCELLED if operation.cancel_requested_at else Status.FAILED, reason)
        return
    due = database_now(settings.OPS_RETRY_SECONDS * 2 ** min(operation.attempt, 6))
    write(lease, due_at=due, error=reason, lease_until=None, lease_owner="")
