"""How many threads of a web process wait for somebody outside: few, so that the others go on serving pages.

In: a request being served, then a call to a provider, a database or a store. Out: its turn, or Busy at once. Workers
and the shell wait as long as they like.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import BoundedSemaphore

from providers.errors import ProviderError

AT_ONCE = 3  # of the eight threads of a process
TURN_SECONDS = 0.5
_turns = BoundedSemaphore(AT_ONCE)
_serving: ContextVar[bool] = ContextVar("serving", default=False)
_waiting: ContextVar[bool] = ContextVar("waiting", default=False)


class Busy(ProviderError):
    """Others wait already."""

    def __init__(self) -> None:
        super().__init__(
            f"{AT_ONCE} other pages wait for answers from outside. Nothing was asked and nothing was changed; "
            "try again in a minute.",
            retryable=True,
        )


@contextmanager
def serving() -> Iterator[None]:
    """This thread answers a request."""
    token = _serving.set(True)
    try:
        yield
    finally:
        _serving.reset(token)


@contextmanager
def waiting() -> Iterator[None]:
    """Wait for somebody outside. Raises Busy while too many of this process do."""
    if not _serving.get() or _waiting.get():
        yield
        return
    if not _turns.acquire(timeout=TURN_SECONDS):
        raise Busy
    token = _waiting.set(True)
    try:
        yield
    finally:
        _waiting.reset(token)
        _turns.release()
