"""How an application is interrupted at a named place: its worker, its connection or the server ends, or it is refused.

In: a server that may crash, an operation, a place. Out: whether the place was met; the operation may be claimed again.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
from django.db import connections
from django.utils import timezone

from migrations_registry.apply import failpoints
from operations.engine.run import run_operation
from operations.models import Operation
from providers.embedded_postgres.throwaway import throwaway
from providers.errors import Refused
from tests.migrations_registry.applying import POOLS

ENDS = ("kill", "cut", "crash")
REFUSED = "stopped by the test"
MOST = 200


def always() -> bool:
    return True


@contextmanager
def crashing_server() -> Iterator[Any]:
    """A server of its own, because it is made to crash; commits reach the operating system."""
    with throwaway(synchronous_commit="on", restart_after_crash="on") as running:
        running.create_database("product")
        with psycopg.connect(running.dsn("product"), autocommit=True) as admin:
            columns = ", ".join(f"c_{number} text DEFAULT 'x'" for number in range(MOST))
            admin.execute(f"CREATE TABLE users (id integer PRIMARY KEY, {columns})")
            admin.execute("INSERT INTO users SELECT g FROM generate_series(1, 5) g")
        yield running


@dataclass
class Target:
    """The database of a crashing server, as its superuser sees and disturbs it."""

    dsn: str

    def rows(self, query: str) -> list[Any]:
        with psycopg.connect(self.dsn, autocommit=True) as admin:
            return admin.execute(query).fetchall()

    def run_into(self, operation: Operation, fault: str, place: str, when: Callable[[], bool] = always) -> bool:
        """Run it until the fault; a killed worker is a child of its own, whose lease then runs out."""
        if fault == "kill":
            died = in_child(
                lambda: run_with_fault(operation, place, lambda: os.kill(os.getpid(), signal.SIGKILL), when)
            )
            Operation.objects.filter(pk=operation.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
            return died
        return run_with_fault(operation, place, {"cut": self.cut, "crash": self.crash, "refuse": refuse}[fault], when)

    def cut(self) -> None:
        with psycopg.connect(self.dsn, autocommit=True, application_name="fault") as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE application_name = 'sampelit-ops'"
            )

    def crash(self) -> None:
        """A process of the server dies: all its sessions end, and it recovers."""
        with suppress(psycopg.OperationalError), psycopg.connect(self.dsn, autocommit=True) as admin:
            os.kill(admin.info.backend_pid, signal.SIGKILL)
            admin.execute("SELECT 1")
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with suppress(psycopg.OperationalError), psycopg.connect(self.dsn, connect_timeout=2):
                return
        raise AssertionError("the server did not come back")


def refuse() -> None:
    raise Refused(REFUSED)


def run_with_fault(
    operation: Operation, place: str, fault: Callable[[], None], when: Callable[[], bool] = always
) -> bool:
    """One claim with the fault armed once, the first time that `when` says so; whether it was met."""
    met: list[str] = []

    def act() -> None:
        if not met and when():
            met.append(place)
            fault()

    failpoints.armed[place] = act
    try:
        run_operation(operation.pk, "test", POOLS, end_process=lambda: None)
        return bool(met)
    finally:
        failpoints.armed.clear()


def forked(work: Callable[[], Any]) -> int:
    """The id of a copy of this process that works and ends; its parent's connection stays untouched."""
    pid = os.fork()
    if pid == 0:
        inherited = [(handler, handler.connection) for handler in connections.all()]
        try:
            for handler, _ in inherited:
                handler.connection = None
            work()
        finally:
            os._exit(len(inherited) and 3)
    return pid


def was_killed(pid: int) -> bool:
    """Whether such a copy ended by SIGKILL."""
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def in_child(work: Callable[[], Any]) -> bool:
    """Whether a forked copy of this process was killed while it worked."""
    return was_killed(forked(work))
