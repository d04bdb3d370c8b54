"""An operation as the JSON that the shell prints and others parse (keys: docs/design.md 11)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from operations.engine.kinds import OperationKind, all_consequences, registry
from operations.engine.specs import Consequence
from operations.models import Approval, Operation, Step, StepStatus
from providers.errors import ProviderError, Refused


def as_json(operation: Operation) -> dict[str, Any]:
    """Times are ISO 8601 in UTC; people are usernames."""
    return {
        "id": operation.pk,
        "kind": operation.kind,
        "environment": operation.environment.slug,
        "status": operation.status,
        "outcome": operation.outcome,
        "risk": operation.risk,
        "parameters": operation.parameters,
        "content_sha256": operation.content_sha256,
        "requested_by": operation.requested_by.get_username(),
        "requested_at": _time(operation.requested_at),
        "approvals_required": operation.approvals_required,
        "approvals": [_approval(approval) for approval in operation.approvals.select_related("approved_by")],
        "steps": [_step(step) for step in operation.steps.all()],
        "result": operation.result,
        "error": operation.error,
    }


def kind_as_json(kind: OperationKind) -> dict[str, Any]:
    """What can be requested, and with which parameters."""
    names = ("name", "label", "required", "secret", "help")
    asked = (parameter for parameter in kind.parameters if not parameter.worked_out)
    shown = [{name: getattr(parameter, name) for name in names} for parameter in asked]
    risk = str(kind.risk)
    return {
        "kind": kind.name,
        "label": kind.label,
        "about": kind.about,
        "risk": risk,
        "permission": kind.permission,
        "parameters": shown,
    }


def _approval(approval: Approval) -> dict[str, Any]:
    return {
        "approved_by": approval.approved_by.get_username(),
        "decision": approval.decision,
        "approved_at": _time(approval.approved_at),
        "revoked_at": _time(approval.revoked_at),
        "comment": approval.comment,
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "pool": step.pool,
        "status": step.status,
        "attempt": step.attempt,
        "started_at": _time(step.started_at),
        "ended_at": _time(step.ended_at),
    }


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def consequences_of(operation: Operation) -> list[Consequence]:
    """What its pages and the shell say that it will do; where that cannot be told, why."""
    kind = registry.kinds.get(operation.kind)
    if kind is None:
        return [Consequence("No installed part knows this kind any more.", "warn")]
    try:
        return all_consequences(kind, operation.environment, operation.parameters)
    except (Refused, ProviderError) as refusal:
        return [Consequence(str(refusal), "warn")]


def standing(operation: Operation) -> str:
    """Where it stands in one line: status, the step that runs, how much of it is done."""
    steps = operation.steps.order_by("position").values_list("name", "status")
    running = (n for n, (_, status) in enumerate(steps) if status == StepStatus.RUNNING)
    place = next((f"step {n + 1} of {len(steps)}, {steps[n][0]}" for n in running), "")
    done, total = operation.progress.get("done"), operation.progress.get("total")
    unit = str(operation.progress.get("unit", ""))
    amount = f"{done:,}{f' of {total:,}' if total else ''} {unit}".strip() if place and isinstance(done, int) else ""
    return " · ".join(filter(None, (operation.status.replace("_", " "), place, amount)))
