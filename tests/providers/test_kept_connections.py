"""A connection that the other side ended without saying so, as load balancers do after a minute: a read is repeated
over another one, a write never goes over one that was kept, since nobody could say whether it arrived."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from providers.http.api_client import JsonClient

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
REQUESTS = 10


class Ending:
    """Answers one request of each connection; it ends it only when it is spoken to again."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._one, args=(self._listener.accept()[0],), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            self.taken.append(connection.recv(65536).split(b" ")[0].decode())
            connection.sendall(ANSWER)
            connection.recv(1)

    def stop(self) -> None:
        self._listener.close()


@pytest.fixture
def ending() -> Iterator[Ending]:
    made = Ending()
    yield made
    made.stop()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_no_write_is_lost_on_a_connection_that_had_ended(ending: Ending, method: str) -> None:
    client = JsonClient("P", ending.url, "t")

    for _ in range(REQUESTS):
        assert client.get("/") == {}
        assert client.send(method, "/") == {}

    assert ending.taken.count(method) == REQUESTS


def test_a_read_is_repeated(ending: Ending) -> None:
    client = JsonClient("P", ending.url, "t")

    for _ in range(3):
        assert client.get("/") == {}

    assert set(ending.taken) == {"GET"}
