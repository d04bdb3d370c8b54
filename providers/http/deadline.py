"""What a stranger may take of our time in all: to tell a name's addresses, and to speak on a connection.

`timeout` of a socket counts each read anew, and a resolver has none: a byte every four seconds would hold us for ever.
"""

from __future__ import annotations

import queue
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread, Timer

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


@contextmanager
def ends_after(connection: socket.socket, seconds: float) -> Iterator[socket.socket]:
    """The connection ends after so many seconds: whoever reads it or writes to it sees its end."""
    timer = Timer(seconds, _end, [connection])
    timer.daemon = True
    timer.start()
    try:
        yield connection
    finally:
        timer.cancel()


def _end(connection: socket.socket) -> None:
    with suppress(OSError):  # closed meanwhile
        connection.shutdown(socket.SHUT_RDWR)
