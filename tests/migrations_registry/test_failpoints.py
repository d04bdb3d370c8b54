"""The worker, its connection or the server ends at a named place: applied once and recorded once, or not at all.

OPS_TEST_FAILPOINTS says how many of the cases (place × kind of file × fault) are walked; 150 are all.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from migrations_registry.apply import failpoints
from migrations_registry.models import Application, MigrationFile
from operations.engine.request import request
from operations.models import Environment, Operation
from tests.migrations_registry.applying import add, finish
from tests.migrations_registry.failpoint_cases import Case, cases
from tests.migrations_registry.faults import Target, crashing_server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with crashing_server() as running:
        yield running


class Walk:
    """One case from the request to its end, whatever happens in between."""

    def __init__(self, target: Target, environment: Environment, by: Any) -> None:
        self.target, self.environment, self.by = target, environment, by

    def ask(self, sha256: str) -> Operation:
        return request("migrations.apply", by=self.by, environment=self.environment, parameters={"file": sha256})

    def go(self, case: Case, number: int) -> None:
        file = adding(number, case.text(number))
        operation = self.ask(file.sha256)
        reached = self.target.run_into(operation, case.fault, case.place)
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

    def recorded(self, number: int) -> int:
        query = f"SELECT count(*) FROM supabase_migrations.schema_migrations WHERE version = '{version(number)}'"
        return int(self.target.rows(query)[0][0])

    def whole_or_nothing(self, number: int, case: Case) -> None:
        """Right after the fault: the history says applied only when everything is."""
        made = self.target.rows(f"SELECT to_regclass('t_{number}') IS NOT NULL")[0][0]
        if self.recorded(number):
            self.applied_once(number, case)
        elif not case.mixed and not case.place.startswith("alone."):
            assert not made

    def applied_once(self, number: int, case: Case) -> None:
        assert self.recorded(number) == 1
        assert self.target.rows(f"SELECT count(*) FROM t_{number}") == [(1,)]
        assert self.target.rows("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
        if case.mixed:
            assert self.target.rows(f"SELECT to_regclass('i_{number}') IS NOT NULL") == [(True,)]


def adding(number: int, text: str) -> MigrationFile:
    return add((f"supabase/migrations/{version(number)}_change_{number}.sql", text))[0]


def version(number: int) -> str:
    return f"2026{number:04d}000000"


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
    return Walk(Target(server.dsn("product")), production, ana)


def test_every_end_at_every_place(walk: Walk) -> None:
    assert len(failpoints.NAMES) == len(set(failpoints.NAMES)) == 26
    for number, case in enumerate(cases(), 1):
        began = time.monotonic()
        walk.go(case, number)
        print(f"{case.place:28} {'mixed' if case.mixed else 'one':5} {case.fault:5} {time.monotonic() - began:.2f} s")
    assert Application.objects.filter(status="running").count() == 0
