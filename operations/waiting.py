"""Wait for an operation's end from outside a worker (the shell, the launcher)."""

from __future__ import annotations

import time

from operations.models import Operation, Status


def wait_for_end(operation_id: str, seconds: float, stop_at_approval: bool = False) -> Operation | None:
    """Poll until it is terminal (or awaits approval, if asked); None when `seconds` passed first."""
    until = time.monotonic() + seconds
    while True:
        operation = Operation.objects.select_related("environment", "requested_by").get(pk=operation_id)
        if operation.terminal or (stop_at_approval and operation.status == Status.AWAITING_APPROVAL):
            return operation
        if time.monotonic() > until:
            return None
        time.sleep(0.2)
