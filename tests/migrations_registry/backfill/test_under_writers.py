"""A walk under live writes, killed again and again: nobody waits for a lock for 100 ms, each row is filled once.

OPS_TEST_BACKFILL_ROWS and OPS_TEST_BACKFILL_KILLS say how large; five million and 20 are meant.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta
from subprocess import PIPE
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.utils import timezone

from migrations_registry.models import Application
from operations.engine.request import request
from operations.engine.run import run_operation
from operations.models import Environment, Operation
from tests import sampling
from tests.migrations_registry.applying import POOLS, add_supabase, rows
from tests.migrations_registry.backfill.conftest import FILL, make_orders

pytestmark = pytest.mark.django_db(transaction=True)
ROWS, KILLS = sampling.size("BACKFILL_ROWS"), sampling.size("BACKFILL_KILLS")
LONGEST_MS = 100
MARKS = "SELECT coalesce(max(walked), 0) FROM supabase_migrations.sampelit_ops_marks"


# Changes random rows until its input ends; the server itself ends a wait for a lock that is too long.
CLIENT = """
import json, random, select, sys, psycopg
dsn, rows, longest = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
told = {"writes": 0, "waited": 0, "errors": []}
with psycopg.connect(dsn, autocommit=True) as session:
    session.execute(f"SET lock_timeout = {longest}")
    while not select.select([sys.stdin], [], [], 0.005)[0]:
        try:
            session.execute("UPDATE orders SET note = 'x' WHERE id = %s", [random.randint(1, rows)])
            told["writes"] += 1
        except psycopg.errors.LockNotAvailable:
            told["waited"] += 1
        except psycopg.Error as error:
            told["errors"].append(str(error))
print(json.dumps(told))
"""


class Writers:
    """Two clients, each a process of its own."""

    def __init__(self, dsn: str) -> None:
        command = [sys.executable, "-c", CLIENT, dsn, str(ROWS), str(LONGEST_MS)]
        self.clients = [subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True) for _ in range(2)]

    def end(self) -> list[dict[str, Any]]:
        return [json.loads(client.communicate("", timeout=60)[0]) for client in self.clients]


@pytest.fixture
def many_orders(dsns: dict[str, str]) -> None:
    make_orders(dsns["admin"], ROWS)


def work(operation: Operation) -> None:
    """What a worker's process does until the operation has ended."""
    while run_operation(operation.pk, "test", POOLS, end_process=lambda: None) in ("queued", "running"):
        pass


def started(operation: Operation) -> int:
    """A worker of its own; the parent's connection stays untouched."""
    pid = os.fork()
    if pid == 0:
        inherited = [(handler, handler.connection) for handler in connections.all()]
        try:
            for handler, _ in inherited:
                handler.connection = None
            work(operation)
        finally:
            os._exit(len(inherited) and 3)
    return pid


def killed_at(operation: Operation, walked: int, dsn: str) -> bool:
    """Run a worker until so many keys are passed, then kill it in the middle of whatever it does; else it has ended."""
    pid = started(operation)
    while passed(dsn) < walked:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return False
        time.sleep(0.02)
    time.sleep(random.Random(walked).uniform(0, 0.2))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    Operation.objects.filter(pk=operation.pk).update(lease_until=timezone.now() - timedelta(seconds=1), due_at=None)
    return True


def passed(dsn: str) -> int:
    """Keys, as the marks say; -1 before there are any."""
    there = rows(dsn, "SELECT to_regclass('supabase_migrations.sampelit_ops_marks') IS NOT NULL")[0][0]
    return int(rows(dsn, MARKS)[0][0]) if there else -1


def test_writers_hardly_wait_and_kills_leave_each_row_filled_once(
    many_orders: None, baselined: Environment, ana: User, dsns: dict[str, str], settings: Any
) -> None:
    settings.OPS_LEASE_SECONDS = 30
    file = add_supabase(2, f"-- {ROWS} rows\n{FILL}")  # how many a content would touch is remembered for a while
    operation = request("migrations.backfill", by=ana, environment=baselined, parameters={"file": file.sha256})
    writers, began = Writers(dsns["admin"]), time.monotonic()

    places = [ROWS * number // (KILLS + 1) for number in range(KILLS)]
    kills = sum(killed_at(operation, walked, dsns["admin"]) for walked in places)
    work(operation)
    told = writers.end()

    operation.refresh_from_db()
    writes, waited = (sum(client[what] for client in told) for what in ("writes", "waited"))
    print(f"{ROWS:,} rows, {kills} kills, {writes:,} writes, {time.monotonic() - began:.0f} s")
    assert operation.status == "succeeded", operation.error
    assert kills == KILLS
    assert [client["errors"] for client in told] == [[], []]
    assert waited == 0, f"{waited} of {writes + waited} waited for more than {LONGEST_MS} ms"
    done = rows(dsns["admin"], "SELECT count(*), min(filled), max(filled) FROM orders WHERE cents = price * 100")
    assert done == [(ROWS, 1, 1)]
    assert Application.objects.get().status == "applied"
