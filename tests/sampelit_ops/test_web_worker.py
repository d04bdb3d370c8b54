"""A slow client holds no thread of the web server: reading a request and writing an answer both end."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sampelit_ops.served import ROOT, Served, served

APP = """
from sampelit_ops.web import deadline_worker as web_worker
web_worker.READ_SECONDS, web_worker.WRITE_SECONDS = 1.0, 1
def application(environ, start_response):
    if environ["PATH_INFO"] == "/large":
        start_response("200 OK", [("Content-Length", str(64 * 2**20))])
        return [b"x" * 2**20] * 64
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    """gunicorn with two threads and short deadlines."""
    (tmp_path / "slow_app.py").write_text(APP)
    with served("slow_app", "--threads", "2", environment={"PYTHONPATH": f"{tmp_path}:{ROOT}"}) as started:
        yield started


SLOW = {
    "a head that does not end": b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    "a body that does not come": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n",
    "a chunk that does not end": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nab",
    "an answer that nobody takes": b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("sent", SLOW.values(), ids=SLOW)
def test_slow_clients_hold_no_thread(server: Served, sent: bytes) -> None:
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(4)]
    for connection in slow:
        connection.sendall(sent)

    answer = server.ask()  # within the socket's 30 seconds; without deadlines never

    for connection in slow:
        connection.close()
    assert answer.startswith(b"HTTP/1.1 200")
