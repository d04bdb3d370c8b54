"""A megabyte of anything, in any field or header of any address, by anybody: little CPU, and health answers on.

On gunicorn as it is configured, with one process; CPU is that process's own (/proc). A seeded sample; in a soak each
address meets each of its fields with each text (`front_door.py`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse

from operations.engine.kinds import registry
from sampelit_ops import permission_matrix
from sampelit_ops.permission_matrix import WHO
from sampelit_ops.roles import sync_roles
from tests import factories, portal_database, sampling
from tests.sampelit_ops import front_door
from tests.sampelit_ops.forms import forms
from tests.sampelit_ops.served import ROOT, Served, served

MOST_CPU_SECONDS, MOST_HEALTH_SECONDS = 0.1, 0.2
PARTS = 8 if sampling.WHOLE else 1
IDLE = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""
TRIES = 8  # the machine's other work and the health question beside it are in the measure too


@pytest.fixture
def clients(transactional_db: None) -> dict[str, Client]:
    """Somebody of each kind, among rows of each kind."""
    factories.world()
    sync_roles()
    return {who: permission_matrix._client(who) for who in WHO}


@pytest.fixture
def server(clients: dict[str, Client]) -> Iterator[Served]:
    """The portal under this test's rows."""
    dsn = portal_database.server.dsn(str(connection.settings_dict["NAME"]))
    with served("tests.sampelit_ops.rolled_back", "--workers", "1", environment={"DATABASE_URL": dsn}) as started:
        yield started


def _fields(clients: dict[str, Client]) -> dict[str, set[str]]:
    """The names of the fields that each address is sent, by what the pages show to anybody and to who may do all."""
    requests = {reverse("admin:operations_request", args=[kind]) for kind in registry.kinds}
    paths = sorted({each.path for each in permission_matrix.addresses()} | set(front_door.ANYBODY) | requests)
    fields: dict[str, set[str]] = {path: set() for path in paths}
    for who in ("anonymous", "superuser"):
        for path in paths if sampling.WHOLE else [path for path in paths if sampling.chosen(path, 12)]:
            answer = clients[who].get(path)
            if answer.streaming or "html" not in answer.headers.get("Content-Type", ""):
                continue
            for form in forms(path, answer.content.decode("utf-8", "replace")):
                fields.setdefault(form.action, set()).update(form.names | form.files)
    return fields


def _cookie(client: Client) -> str:
    held = {settings.CSRF_COOKIE_NAME: front_door.TOKEN}
    held |= {name: morsel.value for name, morsel in client.cookies.items() if name != settings.CSRF_COOKIE_NAME}
    return "; ".join(f"{name}={value}" for name, value in held.items())


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[Served]:
    """A server that nobody asks for anything else: how long the machine itself lets a question wait."""
    (tmp_path / "idle_app.py").write_text(IDLE)
    with served("idle_app", "--workers", "1", environment={"PYTHONPATH": f"{tmp_path}:{ROOT}"}) as started:
        yield started


class Health(threading.Thread):
    """How long /healthz took, asked again and again until `end`, and the same of an idle server."""

    def __init__(self, server: Served, idle: Served) -> None:
        super().__init__(daemon=True)
        self.servers, self.ended = (server, idle), threading.Event()
        self.took: dict[int, list[float]] = {server.port: [], idle.port: []}

    def run(self) -> None:
        while not self.ended.wait(0.1):
            for server in self.servers:
                began = time.monotonic()
                assert server.ask("/healthz").startswith(b"HTTP/1.1 200")
                self.took[server.port].append(time.monotonic() - began)

    def beyond_the_idle(self, share: float) -> float:
        """By how much this share of the answers was slower than an idle server's."""
        self.ended.set()
        self.join()
        ours, idle = (sorted(took) for took in self.took.values())
        assert len(ours) == len(idle) > 0
        return ours[int(len(ours) * share)] - idle[int(len(idle) * share)]


def _cost(server: Served, case: front_door.Case, cookie: str) -> tuple[float, int]:
    """Seconds of CPU and the status."""
    method, target, body, headers = front_door.request(case, cookie)
    began = server.used()
    status = server.send(method, target, body, headers)
    return server.used() - began, status


@pytest.mark.parametrize("part", range(PARTS))
def test_no_text_holds_the_server(server: Served, idle: Served, clients: dict[str, Client], part: int) -> None:
    cookies = {who: _cookie(client) for who, client in clients.items()}
    walked = [case for case in front_door.cases(_fields(clients)) if sampling.chosen(repr(case), 200)][part::PARTS]
    dear, broken, health = [], [], Health(server, idle)
    health.start()

    for case in walked:
        costs, status = [], 0
        while len(costs) < TRIES and (not costs or costs[-1] > MOST_CPU_SECONDS):
            cost, status = _cost(server, case, cookies[case.who])
            costs.append(cost)
        if min(costs) > MOST_CPU_SECONDS:
            dear.append(f"{min(costs):.2f} s {case}")
        if status >= 500 and case.path != "/readyz":
            broken.append(f"{status} {case}")

    assert walked
    if dear or broken:
        pytest.fail("\n".join([*broken, *dear]))
    assert health.beyond_the_idle(0.99 if sampling.WHOLE else 0.5) < MOST_HEALTH_SECONDS
