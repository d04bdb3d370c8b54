"""What a stranger may take of our time in all: to tell a name's addresses, and to speak on a connection.

`timeout` of a socket counts each read anew, and a resolver has none: a byte every four seconds would hold us for ever.
"""

from __future__ import annotations

import os
import queue
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from threading import Lock, Thread, Timer

from providers import outside

RESOLVE_SECONDS = 5.0
MOST_ADDRESSES = 8  # of a name, that are tried
_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def resolve(host: str, port: int, seconds: float = RESOLVE_SECONDS) -> list[str]:
    """The addresses of a name, or OSError; a resolver that does not answer, by the end of an exchange too, is left."""
    if (outer := _current.get()) is not None:
        seconds = min(seconds, outer.left())
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
        self.may_reuse = True  # a connection that an earlier exchange left open
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
    return opened(resolve(host, port), port)


def opened(addresses: Sequence[str], port: int, most_seconds: float | None = None) -> socket.socket:
    """A connection to the first of the addresses that takes one, each asked for its share of what is left, and for at
    most so many seconds. Raises OSError where none does."""
    deadline, tried = current(), addresses[:MOST_ADDRESSES]
    refused = OSError("the name has no address")
    for number, address in enumerate(tried):
        if deadline.is_over():
            break
        seconds = min(deadline.left() / (len(tried) - number), most_seconds or RESOLVE_SECONDS)
        try:
            connection = socket.create_connection((address, port), seconds)
        except OSError as error:
            refused = error
        else:
            deadline.watch(connection)
            connection.settimeout(most_seconds or deadline.left())
            return connection
    raise refused
