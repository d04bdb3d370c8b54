"""A person takes a request back, asks a running operation to stop at its next border, or asks once more."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction

from operations.authority import why_not
from operations.engine import kinds
from operations.engine.request import record_about, refusals_recorded, request
from operations.engine.wakeup import wake
from operations.engine.wording import said
from operations.factors.acts import about
from operations.factors.step_up import spend
from operations.models import Operation, Status
from operations.periodic.clock import database_time
from providers.errors import Refused


def why_not_cancel(operation: Operation, by: User) -> str:
    """The reason this person may not stop it, or nothing."""
    kind = kinds.registry.kinds.get(operation.kind)
    mine = operation.requested_by_id == by.pk
    if mine or (kind is not None and not kind.why_not(by, operation.environment, "no")):
        return ""
    otherwise = "Only who requested it or an operator may cancel it."
    return why_not(by, "operations.cancel_operation", operation.environment, otherwise)


def confirm_ending(act: str, operation: Operation, by: User) -> None:
    """Spend the factor shown for refusing, un-voting or stopping what protects; raise StepUpNeeded.

    Without it people are worse off (ADR 16). Of a kind that no part knows any more nobody can say that they are not.
    """
    kind = kinds.registry.kinds.get(operation.kind)
    if kind is None or kind.protects or kind.restores_service:
        spend(by.username, about(act, operation))


def cancel(operation: Operation, *, by: User, reason: str = "") -> Operation:
    """End it at once if it has not begun; else ask it to stop, after which its always-steps still run."""
    with refusals_recorded(operation.kind, by, operation.environment):
        if refusal := why_not_cancel(operation, by):
            raise PermissionDenied(f"{refusal} It goes on as it was.")
        with transaction.atomic():
            row = Operation.objects.select_for_update(of=("self",)).select_related("environment").get(pk=operation.pk)
            _cancel_locked(row, by)
            confirm_ending("operations.cancel", row, by)
            record_about(row, "operations.cancel_requested", actor=by.username, status=row.status, reason=said(reason))
    row.refresh_from_db()
    return row


def _cancel_locked(row: Operation, by: User) -> None:
    now = database_time()
    if row.terminal:
        raise Refused(f"Operation {row.pk} has already ended as {row.status}; nothing was changed.")
    asked = {"cancel_requested_at": now, "cancel_requested_by": by}
    if row.status == Status.RUNNING:
        sooner: dict[str, None] = {} if row.outcome else {"due_at": None}
        Operation.objects.filter(pk=row.pk).update(**asked, **sooner)
        wake(row)
    else:
        Operation.objects.advance(
            row.pk, row.status, Status.CANCELLED, outcome="cancelled", ended_at=now, sealed="", **asked
        )


def retry(operation: Operation, *, by: User, reason: str = "", channel: str = "admin") -> Operation:
    """Request the same again; raise Refused while it has not ended, or when it succeeded."""
    if not operation.terminal:
        raise Refused(
            f"Operation {operation.pk} is still {operation.status}; nothing was requested. Wait or cancel it."
        )
    if operation.status == "succeeded":
        raise Refused(f"Operation {operation.pk} succeeded; nothing was requested. Request a new one instead.")
    return request(
        operation.kind,
        by=by,
        environment=operation.environment,
        parameters=dict(operation.parameters),
        reason=reason or f"retry of {operation.pk}",
        channel=channel,
        retry_of=operation,
    )
