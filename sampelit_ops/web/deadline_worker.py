"""gunicorn's thread worker with an end to waiting: no client holds a thread by sending or taking its bytes slowly.

In: a connection that a thread has begun to serve. Out: the same answers. gunicorn's own `timeout` watches the process,
not its threads; without this a head or a body that never ends would hold a thread for ever.
"""

from __future__ import annotations

import socket
import struct
import time
from contextlib import suppress
from threading import Timer
from typing import Any

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from providers import memory

READ_SECONDS = 30.0  # from a request's first byte to its body's last
TRIM_SECONDS = 20  # a page that took much leaves it free, not given back: 20 MB each of eight threads
WRITE_SECONDS = 30  # without the client taking a byte of the answer


class DeadlineWorker(ThreadWorker):
    """Reading a request ends after READ_SECONDS in total; writing ends once the client takes nothing for a while."""

    _trimmed = 0.0

    def notify(self) -> None:
        """Of its own loop, about once a second: now and then what is free goes back to the system."""
        super().notify()
        if time.monotonic() - self._trimmed > TRIM_SECONDS:
            memory.trim()
            self._trimmed = time.monotonic()

    def handle(self, conn: Any) -> Any:
        """Serve one request under the deadlines."""
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", WRITE_SECONDS, 0))
        reading = Timer(READ_SECONDS, _stop_reading, [conn.sock])
        reading.daemon = True
        reading.start()
        try:
            return super().handle(conn)
        finally:
            reading.cancel()


def _stop_reading(connection: socket.socket) -> None:
    """The reader sees an end of input. An answer that is still being made is sent all the same."""
    with suppress(OSError):  # closed meanwhile
        connection.shutdown(socket.SHUT_RD)
