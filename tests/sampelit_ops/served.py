"""gunicorn as bin/web starts it, with one process. In: an application. Out: a port, and what the process has used."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GUNICORN = [sys.executable, "-m", "gunicorn", "--config", "python:sampelit_ops.gunicorn_conf"]


@dataclass(frozen=True)
class Served:
    """One server: where it listens, and the process that serves."""

    port: int
    master: int

    def used(self) -> float:
        """Seconds of processor time that the serving process has taken."""
        worker = Path(f"/proc/{self.master}/task/{self.master}/children").read_text().split()[0]
        fields = Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def send(self, method: str, target: str, body: bytes, headers: Mapping[str, str | bytes]) -> int:
        """The status, or 0 where the server closed before it had taken everything."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            client.request(method, target, body, dict(headers))
            answer = client.getresponse()
            answer.read()
            return answer.status
        except (ConnectionError, http.client.HTTPException):
            return 0
        finally:
            client.close()

    def ask(self, path: str = "/") -> bytes:
        """The begin of the answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
            return connection.recv(100)


@contextmanager
def served(application: str, *options: str, environment: Mapping[str, str]) -> Iterator[Served]:
    """The server, once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [*GUNICORN, application, "--bind", f"127.0.0.1:{port}", *options],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "sampelit_ops.settings", **environment},
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    server = Served(port, process.pid)
    try:
        _until_it_answers(server, process)
        yield server
    finally:
        process.terminate()
        process.wait(10)


def _until_it_answers(server: Served, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            if server.ask("/healthz"):
                return
        except OSError:
            threading.Event().wait(0.1)
    raise AssertionError("gunicorn did not start")
