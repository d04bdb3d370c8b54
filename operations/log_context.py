"""Which operation this thread or task works on, for the logs. The engine says so; the log formatter reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

operation_id: ContextVar[str] = ContextVar("operation_id", default="")


@contextmanager
def operating(operation: str) -> Iterator[None]:
    """Every log line inside carries this operation's id."""
    token = operation_id.set(operation)
    try:
        yield
    finally:
        operation_id.reset(token)
