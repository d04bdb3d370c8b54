"""What a stranger may take of our time in all: to tell a name's addresses, and to speak on a connection.

`timeout` of a socket counts each read anew, and a resolver has none: a byte every four seconds would hold us for ever.
"""

from __future__ import annotations

import os
import queue
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from threading import Lock, Thread, Timer

from providers import outside

RESOLVE_SECONDS = 5.0


def resolve(host: str, port: int, seconds: float = RESOLVE_SECONDS) -> list[str]:
    """The addresses of a name, or OSError; a resolver that does not answer is left behind."""
    answers: queue.Queue[list[str] | Exception] = queue.Queue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([str(entry[4][0]) for entry in found])
        except (OSError, UnicodeError) as error:
            answers.put(error)

    Thread(target=ask, daemon=True, name="resolve").start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"{host} was not resolved within {seconds:g} s") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


class Deadline:
    """One end for a whole exchange: whoever reads or writes a watched connection after it sees the connection's end."""

    def __init__(self, seconds: float) -> None:
        self._until, self._passed = time.monotonic() + seconds, False
        self._watched: list[socket.socket] = []
        self._lock = Lock()

    def left(self) -> float:
        """Seconds; never 0, which would mean no timeout or none to wait."""
        return max(0.1, self._until - time.monotonic())

    def is_over(self) -> bool:
        return time.monotonic() >= self._until

    def watch(self, connection: socket.socket) -> None:
        """A second descriptor of it is held, so that TLS may wrap the connection and the end still reaches it."""
        with self._lock:
            self._watched.append(socket.socket(fileno=os.dup(connection.fileno())))
            passed = self._passed
        if passed:
            self.end()

    def end(self) -> None:
        """It is over."""
        with self._lock:
            self._passed = True
            for connection in self._watched:
                with suppress(OSError):  # ended before by the other side
                    connection.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """Nothing is watched any more. Raises TimeoutError if the end came: what was read may be a part."""
        with self._lock:
            for connection in self._watched:
                connection.close()
            self._watched = []
            if self._passed:
                raise TimeoutError("the other side took too long")


_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


@contextmanager
def within(seconds: float) -> Iterator[Deadline]:
    """Everything inside ends after so many seconds together. Inside of another deadline that one holds."""
    if (outer := _current.get()) is not None:
        yield outer
        return
    with outside.waiting():
        deadline = Deadline(seconds)
        timer = Timer(seconds, deadline.end)
        timer.daemon = True
        timer.start()
        token = _current.set(deadline)
        try:
            yield deadline
        finally:
            _current.reset(token)
            timer.cancel()
            deadline.release()


def current() -> Deadline:
    """The deadline of this exchange. A connection is never opened without one."""
    deadline = _current.get()
    if deadline is None:
        raise RuntimeError("A connection outside needs a deadline: open it inside of providers.http.deadline.within().")
    return deadline


def connected(host: str, port: int) -> socket.socket:
    """A connection that ends with the exchange. Raises OSError, also for a name without an address."""
    deadline = current()
    connection = socket.create_connection((resolve(host, port, deadline.left())[0], port), deadline.left())
    deadline.watch(connection)
    return connection
