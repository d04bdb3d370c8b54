"""Try again as a new, linked operation with the same parameters; it needs its own votes."""

from __future__ import annotations

from django.contrib.auth.models import User

from operations.engine.request import request
from operations.models import Operation
from providers.errors import Refused


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
