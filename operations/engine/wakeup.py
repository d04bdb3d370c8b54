"""How the engine asks for a worker without knowing the transport: the worker room plugs its `send` in at start."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction

from operations.models import Operation, Status
from operations.models.operation import database_now

Send = Callable[[str, str], None]
_transport: list[Send] = []


def use(send: Send) -> None:
    """Make `send(operation_id, pool)` the way a message leaves; the last one plugged in counts."""
    _transport[:] = [send]


def wake(operation: Operation) -> None:
    """After this transaction commits, tell the pool's workers; a lost message is only a delay (tick re-sends)."""
    Operation.objects.filter(pk=operation.pk).update(woken_at=database_now())
    transaction.on_commit(lambda: _send(operation.pk, operation.pool), robust=True)


def wake_waiting(exclusive_key: str) -> None:
    """After this transaction commits, tell workers about the oldest operation that waited for this key.

    Not within it: whoever claims that operation holds its row, and waits until this key is free.
    """
    waiting = Operation.objects.filter(status=Status.QUEUED, exclusive_key=exclusive_key)
    first = waiting.order_by("requested_at").first() if exclusive_key else None
    if first is not None:
        transaction.on_commit(lambda: wake(first), robust=True)


def _send(operation_id: str, pool: str) -> None:
    for send in _transport:
        send(operation_id, pool)
