"""A *maintenance off* whose one request, its answer or what is read back ends after any byte, quietly or by a reset: no
door stays closed that nobody opens."""

from __future__ import annotations

import socket
import struct
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
from tests.deployments.conftest import finish
from tests.render_sandbox import Harness

pytestmark = pytest.mark.django_db(transaction=True)
Act = Callable[..., Operation]


class Cutting:
    """Before the sandbox: every PATCH ends after `sent` bytes of the request or `told` bytes of the answer, and every
    read after the first after `read` bytes of its answer."""

    def __init__(self, base: str) -> None:
        self.target, self.hits, self.longest = urlsplit(base), 0, 0
        self.restore()
        self._socket = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    def restore(self) -> None:
        self.side, self.at, self.reset, self._reads = "", 0, False, 0

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
            is_write = asked.startswith(b"PATCH")
            self._reads += bool(self.side) and not is_write
            cut = bool(self.side) and (is_write if self.side != "read" else not is_write and self._reads > 1)
            self.hits += cut
            with socket.create_connection((str(self.target.hostname), self.target.port)) as onward:
                if cut and self.side == "sent":
                    onward.sendall(asked[: self.at])
                    self.longest = len(asked)
                else:
                    onward.sendall(asked.replace(b"Connection: keep-alive", b"Connection: close"))
                    answer = b"".join(iter(lambda: onward.recv(65536), b""))
                    self.longest = len(answer) if cut else self.longest
                    connection.sendall(answer[: self.at] if cut else answer)
            if cut and self.reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
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


SIDES = {"sent": 420, "told": 1500, "read": 1500}  # bytes that are no fewer than there are
WHERE = [(side, at, at % 2 == 1) for side, most in SIDES.items() for at in range(most)]
WHERE += [(side, at, True) for side in SIDES for at in (0, 12, 150)]


@pytest.mark.sampled(300, by="side")
@pytest.mark.parametrize(
    ("side", "at", "reset"), WHERE, ids=[f"{side} {at}{' reset' if reset else ''}" for side, at, reset in WHERE]
)
def test_no_door_stays_closed(
    sandbox: Harness, api: Service, act: Act, cutting: Cutting, side: str, at: int, reset: bool
) -> None:
    assert act("deployments.maintenance", state="on", minutes="5").status == "succeeded"
    cutting.side, cutting.at, cutting.reset = side, at, reset

    off = act("deployments.maintenance", state="off")

    api.refresh_from_db()
    closed = sandbox.render.services.get(api.render_id).maintenance.enabled
    assert cutting.hits >= 1
    assert "Nothing was changed" not in off.error + off.steps.get().error
    assert (off.status == "succeeded") <= (not closed)
    assert (api.maintenance_until is not None) >= closed
    cutting.restore()
    Operation.objects.filter(pk=off.pk).update(due_at=database_time())
    assert finish(off).status in ("succeeded", "failed")
    Service.objects.exclude(maintenance_until=None).update(maintenance_until=database_time() - timedelta(minutes=1))
    lift_forgotten()
    api.refresh_from_db()
    assert not sandbox.render.services.get(api.render_id).maintenance.enabled
    assert (api.maintenance, api.maintenance_until) == (False, None)
