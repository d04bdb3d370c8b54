"""A *maintenance off* whose one request, or its answer, ends after any byte: no door stays closed that nobody opens."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from deployments.maintenance_watchdog import lift_forgotten
from deployments.models import Service
from deployments.render import client
from operations.models import Operation
from operations.periodic.clock import database_time
from tests.render_sandbox import Harness

pytestmark = pytest.mark.django_db(transaction=True)
Act = Callable[..., Operation]


class Cutting:
    """Before the sandbox: every PATCH ends after `sent` bytes of the request, or `told` bytes of the answer."""

    def __init__(self, base: str) -> None:
        self.target, self.sent, self.told, self.hits = urlsplit(base), -1, -1, 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}{self.target.path}"

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._one, args=(self._socket.accept()[0],), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            asked = _whole(connection)
            cut = asked.startswith(b"PATCH")
            self.hits += cut
            with socket.create_connection((str(self.target.hostname), self.target.port)) as onward:
                if cut and self.sent >= 0:
                    onward.sendall(asked[: self.sent])
                    return
                onward.sendall(asked.replace(b"Connection: keep-alive", b"Connection: close"))
                answer = b"".join(iter(lambda: onward.recv(65536), b""))
            connection.sendall(answer[: self.told] if cut and self.told >= 0 else answer)
            threading.Event().wait(0.02)  # it ends the connection late and without a word, as a load balancer may

    def stop(self) -> None:
        self._socket.close()


def _whole(connection: socket.socket) -> bytes:
    connection.settimeout(5)
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@pytest.fixture
def cutting(sandbox: Harness, api: Service, settings: Any) -> Iterator[Cutting]:
    made = Cutting(sandbox.sandbox.base)
    settings.RENDER_API_BASE, settings.DEPLOY_WATCH_SECONDS = made.base, 0.01
    client._client.cache_clear()
    yield made
    made.stop()
    client._client.cache_clear()


WHERE = [("sent", at) for at in (0, 150, 330)]
WHERE += [("told", at) for at in (0, 12, 160, 5000)]


@pytest.mark.parametrize(("side", "at"), WHERE, ids=[f"{side} {at}" for side, at in WHERE])
def test_no_door_stays_closed(sandbox: Harness, api: Service, act: Act, cutting: Cutting, side: str, at: int) -> None:
    assert act("deployments.maintenance", state="on", minutes="5").status == "succeeded"
    setattr(cutting, side, at)

    off = act("deployments.maintenance", state="off")

    api.refresh_from_db()
    closed = sandbox.render.services.get(api.render_id).maintenance.enabled
    assert cutting.hits >= 2
    assert off.status in ("succeeded", "failed")
    assert (off.status == "succeeded") <= (not closed)
    assert (api.maintenance_until is not None) >= closed
    cutting.sent = cutting.told = -1
    Service.objects.exclude(maintenance_until=None).update(maintenance_until=database_time() - timedelta(minutes=1))
    lift_forgotten()
    api.refresh_from_db()
    assert not sandbox.render.services.get(api.render_id).maintenance.enabled
    assert (api.maintenance, api.maintenance_until) == (False, None)
