"""A slow client holds no thread of the web server: reading a request and writing an answer both end."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
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
def server(tmp_path: Path) -> Iterator[int]:
    """gunicorn as bin/web starts it, with one process of two threads and short deadlines."""
    (tmp_path / "slow_app.py").write_text(APP)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "slow_app", "--config", "python:sampelit_ops.gunicorn_conf"]
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}", "DJANGO_SETTINGS_MODULE": "sampelit_ops.settings"}
    process = subprocess.Popen([*command, "--bind", f"127.0.0.1:{port}", "--threads", "2"], env=environment)
    try:
        _until_it_answers(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _until_it_answers(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            if _ask(port):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail("gunicorn did not start")


def _ask(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return connection.recv(100)


SLOW = {
    "a head that does not end": b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    "a body that does not come": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n",
    "a chunk that does not end": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nab",
    "an answer that nobody takes": b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("sent", SLOW.values(), ids=SLOW)
def test_slow_clients_hold_no_thread(server: int, sent: bytes) -> None:
    slow = [socket.create_connection(("127.0.0.1", server)) for _ in range(4)]
    for connection in slow:
        connection.sendall(sent)

    answer = _ask(server)  # within the socket's 30 seconds; without deadlines never

    for connection in slow:
        connection.close()
    assert answer.startswith(b"HTTP/1.1 200")
