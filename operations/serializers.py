"""An operation as the JSON that the shell prints and others parse (keys: docs/design.md 11)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from operations.models import Approval, Operation, Step


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
        "approvals": [_approval(one) for one in operation.approvals.select_related("approved_by")],
        "steps": [_step(one) for one in operation.steps.all()],
        "result": operation.result,
        "error": operation.error,
    }


def _approval(one: Approval) -> dict[str, Any]:
    return {
        "approved_by": one.approved_by.get_username(),
        "decision": one.decision,
        "approved_at": _time(one.approved_at),
        "revoked_at": _time(one.revoked_at),
        "comment": one.comment,
    }


def _step(one: Step) -> dict[str, Any]:
    return {
        "name": one.name,
        "pool": one.pool,
        "status": one.status,
        "attempt": one.attempt,
        "started_at": _time(one.started_at),
        "ended_at": _time(one.ended_at),
    }


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
