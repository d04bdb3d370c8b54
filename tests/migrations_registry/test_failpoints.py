"""The worker, its connection or the server ends at a named place: applied once and recorded once, or not at all.

OPS_TEST_FAILPOINTS says how many of the cases (place × kind of file × fault) are walked; 150 are all.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connections
from django.utils import timezone

from migrations_registry.apply import failpoints
from migrations_registry.models import Application, MigrationFile
from operations.engine.request import request
from operations.engine.run import run_operation
from operations.models import Environment, Operation
from providers.embedded_postgres.throwaway import throwaway
from tests.migrations_registry.applying import POOLS, add, finish
from tests.migrations_registry.failpoint_cases import Case, cases

pytestmark = pytest.mark.django_db(transaction=True)
MOST = 200


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    """A server of its own, because it is made to crash; commits reach the operating system."""
    with throwaway(synchronous_commit="on", restart_after_crash="on") as running:
        running.create_database("product")
        with psycopg.connect(running.dsn("product"), autocommit=True) as admin:
            columns = ", ".join(f"c_{number} text DEFAULT 'x'" for number in range(MOST))
            admin.execute(f"CREATE TABLE users (id integer PRIMARY KEY, {columns})")
            admin.execute("INSERT INTO users SELECT g FROM generate_series(1, 5) g")
        yield running


class Walk:
    """One case from the request to its end, whatever happens in between."""

    def __init__(self, server: Any, environment: Environment, by: Any) -> None:
        self.server, self.environment, self.by = server, environment, by
        self.dsn = server.dsn("product")

    def ask(self, sha256: str) -> Operation:
        return request("migrations.apply", by=self.by, environment=self.environment, parameters={"file": sha256})

    def go(self, case: Case, number: int) -> None:
        file = adding(number, case.text(number))
        operation = self.ask(file.sha256)
        reached = self.run_into(case, operation)
        assert reached, f"{case} was never reached"
        if case.fault == "kill":
            self.whole_or_nothing(number, case)
        operation = finish(operation)
        if operation.status != "succeeded":
            assert operation.status == "failed"
            assert operation.error
            self.whole_or_nothing(number, case)
            operation = finish(self.ask(file.sha256))
        assert operation.status == "succeeded", f"{case}: {operation.error}"
        self.applied_once(number, case)

    def run_into(self, case: Case, operation: Operation) -> bool:
        """Run it until the fault; a killed worker is a child of its own, whose lease then runs out."""
        if case.fault == "kill":
            died = in_child(lambda: run_with_fault(operation, case.place, lambda: os.kill(os.getpid(), signal.SIGKILL)))
            Operation.objects.filter(pk=operation.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
            return died
        return run_with_fault(operation, case.place, self.cut if case.fault == "cut" else self.crash)

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

    def rows(self, query: str) -> list[Any]:
        with psycopg.connect(self.dsn, autocommit=True) as admin:
            return admin.execute(query).fetchall()

    def recorded(self, number: int) -> int:
        query = f"SELECT count(*) FROM supabase_migrations.schema_migrations WHERE version = '{version(number)}'"
        return int(self.rows(query)[0][0])

    def whole_or_nothing(self, number: int, case: Case) -> None:
        """Right after the fault: the history says applied only when everything is."""
        made = self.rows(f"SELECT to_regclass('t_{number}') IS NOT NULL")[0][0]
        if self.recorded(number):
            self.applied_once(number, case)
        elif not case.mixed and not case.place.startswith("alone."):
            assert not made

    def applied_once(self, number: int, case: Case) -> None:
        assert self.recorded(number) == 1
        assert self.rows(f"SELECT count(*) FROM t_{number}") == [(1,)]
        assert self.rows("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
        if case.mixed:
            assert self.rows(f"SELECT to_regclass('i_{number}') IS NOT NULL") == [(True,)]


def adding(number: int, text: str) -> MigrationFile:
    return add((f"supabase/migrations/{version(number)}_change_{number}.sql", text))[0]


def version(number: int) -> str:
    return f"2026{number:04d}000000"


def run_with_fault(operation: Operation, place: str, fault: Callable[[], None]) -> bool:
    """One claim with the fault armed once; whether it was met."""
    met: list[str] = []

    def act() -> None:
        if not met:
            met.append(place)
            fault()

    failpoints.armed[place] = act
    try:
        run_operation(operation.pk, "test", POOLS, end_process=lambda: None)
        return bool(met)
    finally:
        failpoints.armed.clear()


def in_child(work: Callable[[], Any]) -> bool:
    """Whether a forked copy of this process was killed while it worked; its parent's connection stays untouched."""
    pid = os.fork()
    if pid == 0:
        inherited = [(handler, handler.connection) for handler in connections.all()]
        try:
            for handler, _ in inherited:
                handler.connection = None
            work()
        finally:
            os._exit(len(inherited) and 3)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


@pytest.fixture
def walk(server: Any, ana: Any, backups: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Walk:
    settings.OPS_LEASE_SECONDS = 30  # a busy machine must not look like a second fault
    for name in ("MIGRATION", "EXPORT"):
        monkeypatch.setenv(f"SAMPELIT_PRODUCTION_{name}_DSN", server.dsn("product"))
    production = Environment.objects.create(
        slug="production", name="Production", kind="production", votes_sensitive=0, votes_destructive=0
    )
    adding(0, "CREATE TABLE users (id integer PRIMARY KEY)")
    baseline = request("migrations.baseline", by=ana, environment=production, parameters={"stream": "supabase"})
    assert finish(baseline).status == "succeeded"
    return Walk(server, production, ana)


def test_every_end_at_every_place(walk: Walk) -> None:
    assert len(failpoints.NAMES) == len(set(failpoints.NAMES)) == 26
    for number, case in enumerate(cases(), 1):
        began = time.monotonic()
        walk.go(case, number)
        print(f"{case.place:28} {'mixed' if case.mixed else 'one':5} {case.fault:5} {time.monotonic() - began:.2f} s")
    assert Application.objects.filter(status="running").count() == 0
