"""The health fetcher: it connects only to addresses it checked, follows nothing and never takes long."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from providers.http import deadline, health_probe
from tests.render_sandbox import Harness, running


@pytest.fixture
def harness() -> Iterator[Harness]:
    with running() as harness:
        yield harness


def test_a_private_address_is_not_asked(harness: Harness) -> None:
    answer = health_probe.fetch(f"{harness.sandbox.address}/apps/sampelit-api/health")

    assert answer.status is None
    assert "private address" in answer.error


def test_a_name_is_resolved_once_and_every_address_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int, **options: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(2, 1, 6, "", ("93.184.216.34", port)), (2, 1, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)

    assert "private address" in health_probe.fetch("http://rebinding.example/health").error
    assert asked == ["rebinding.example"]


def test_an_answer_has_status_body_and_latency(harness: Harness) -> None:
    answer = health_probe.fetch(f"{harness.sandbox.address}/apps/sampelit-api/health", allow_private=True)

    assert (answer.status, answer.error) == (200, "")
    assert b'"status": "healthy"' in answer.body
    assert answer.latency_ms is not None


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://a.example/", "http://user@a.example/", "http:///x", "not a url", "http://[::1"]
)
def test_odd_addresses_are_refused(url: str) -> None:
    assert health_probe.fetch(url, allow_private=True).error


HEADS = {"drip of a head": b"HTTP/1.0 200 OK\r\nX-A: ", "drip of TLS": b"\x16\x03\x03\x3f\xff"}


@pytest.mark.parametrize("kind", ["drip", "silent", "huge", "drip of a head", "drip of TLS"])
def test_a_hostile_server_costs_little(kind: str) -> None:
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            if kind == "silent":
                connection.recv(1)
                return
            connection.sendall(HEADS.get(kind, b"HTTP/1.0 200 OK\r\n\r\n"))
            try:
                while True:
                    connection.sendall(b"x" * 65536 if kind == "huge" else b"x")
                    if kind != "huge":
                        threading.Event().wait(0.05)
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    begun = time.monotonic()
    scheme = "https" if kind == "drip of TLS" else "http"
    answer = health_probe.fetch(f"{scheme}://127.0.0.1:{server.getsockname()[1]}/", allow_private=True, timeout=0.6)
    server.close()

    assert time.monotonic() - begun < 3
    assert len(answer.body) <= health_probe.MAX_BODY_BYTES


def test_a_resolver_that_hangs_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: ended.wait() and [])

    with pytest.raises(TimeoutError, match=r"within 0\.2 s"):
        deadline.resolve("slow.example", 443, seconds=0.2)

    ended.set()
