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
from functools import partial
from subprocess import PIPE
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from migrations_registry.models import Application
from operations.engine.request import request
from operations.engine.run import run_operation
from operations.models import Environment, Operation
from tests import sampling
from tests.migrations_registry.applying import POOLS, add_supabase, rows
from tests.migrations_registry.backfill.conftest import FILL, make_orders
from tests.migrations_registry.faults import forked

pytestmark = pytest.mark.django_db(transaction=True)
ROWS, KILLS = sampling.size("BACKFILL_ROWS"), sampling.size("BACKFILL_KILLS")
LONGEST_MS = 100
# Beside other tests a session that holds a lock may itself wait for a processor; what is ours happens each time.
TRIES = 1 if sampling.WHOLE else 3
AGAIN = f"""
    DELETE FROM supabase_migrations.sampelit_ops_marks;
    TRUNCATE orders;
    INSERT INTO orders (id, price) SELECT g, g FROM generate_series(1, {ROWS}) g;
    ANALYZE orders
"""
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


def killed_at(operation: Operation, walked: int, dsn: str) -> bool:
    """Run a worker until so many keys are passed, then kill it in the middle of whatever it does; else it has ended."""
    pid = forked(partial(work, operation))
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


def walked(number: int, ana: User, baselined: Environment, dsn: str) -> int:
    """One backfill to its end, under writers and kills; how often a writer waited too long for a lock."""
    file = add_supabase(number, f"-- {ROWS} rows, {number}\n{FILL}")  # how many a content would touch is remembered
    operation = request("migrations.backfill", by=ana, environment=baselined, parameters={"file": file.sha256})
    writers, began = Writers(dsn), time.monotonic()

    places = [ROWS * place // (KILLS + 1) for place in range(KILLS)]
    kills = sum(killed_at(operation, keys, dsn) for keys in places)
    work(operation)
    told = writers.end()

    operation.refresh_from_db()
    writes, waited = (sum(client[what] for client in told) for what in ("writes", "waited"))
    print(f"{ROWS:,} rows, {kills} kills, {writes:,} writes, {waited} waits, {time.monotonic() - began:.0f} s")
    assert operation.status == "succeeded", operation.error
    assert kills == KILLS
    assert [client["errors"] for client in told] == [[], []]
    done = rows(dsn, "SELECT count(*), min(filled), max(filled) FROM orders WHERE cents = price * 100")
    assert done == [(ROWS, 1, 1)]
    assert Application.objects.get(file=file).status == "applied"
    return waited


def test_writers_hardly_wait_and_kills_leave_each_row_filled_once(
    many_orders: None, baselined: Environment, ana: User, dsns: dict[str, str], settings: Any
) -> None:
    settings.OPS_LEASE_SECONDS = 30
    waits = [walked(2, ana, baselined, dsns["admin"])]
    while waits[-1] and len(waits) < TRIES:
        with psycopg.connect(dsns["admin"], autocommit=True) as admin:
            admin.execute(AGAIN.encode())
        waits.append(walked(2 + len(waits), ana, baselined, dsns["admin"]))

    assert min(waits) == 0, f"{waits} writes waited for a lock for more than {LONGEST_MS} ms"
