"""A slow client holds no thread of the web server, and a page that took much memory leaves it to nobody."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from providers import memory
from tests.sampelit_ops.served import ROOT, Served, served

pytestmark = pytest.mark.slow

APP = """
from sampelit_ops.web import deadline_worker as web_worker
web_worker.READ_SECONDS, web_worker.WRITE_SECONDS, web_worker.TRIM_SECONDS = 1.0, 1, 1
kept = []
def application(environ, start_response):
    if environ["PATH_INFO"] == "/large":
        start_response("200 OK", [("Content-Length", str(64 * 2**20))])
        return [b"x" * 2**20] * 64
    if environ["PATH_INFO"] == "/wasteful":
        used = [bytes(2_000 + number % 100) for number in range(60_000)]
        kept.extend(used[::500])
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


def test_freed_memory_goes_back_to_the_system(server: Served) -> None:
    server.ask("/")
    before = memory.proportional_bytes(server.master)

    assert server.ask("/wasteful").startswith(b"HTTP/1.1 200")

    until = time.monotonic() + 15
    while memory.proportional_bytes(server.master) - before > 40 << 20:  # of 120 MB that were taken
        assert time.monotonic() < until
        time.sleep(0.2)
