"""A path of three files of two streams is interrupted at a named place of one of them: each file is applied exactly
once, or it ends with what was applied and what was not, and the next request goes on from there.

OPS_TEST_PATH_FAILPOINTS says how many of the cases (place × act × fault) are walked; 312 are all.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from django.contrib.auth.models import User

from migrations_registry.apply import failpoints
from migrations_registry.history.states import version_of
from migrations_registry.models import Application, MigrationFile
from migrations_registry.path.steps import REST
from operations.engine.request import request
from operations.models import Environment, Operation
from tests import sampling
from tests.migrations_registry.applying import add, finish
from tests.migrations_registry.failpoint_cases import LOSES
from tests.migrations_registry.faults import ENDS, REFUSED, Target, crashing_server

pytestmark = pytest.mark.django_db(transaction=True)
ACTS = (1, 2, 3)
PARTS = 8 if sampling.WHOLE else 1
AFTER_COMMIT = "transaction.committed"  # nothing refuses there


@dataclass(frozen=True)
class Case:
    """At `place` of the act with this number; the second runs a statement alone, and so does one that must."""

    place: str
    act: int
    fault: str

    def text(self, number: int, act: int) -> str:
        made = f"CREATE TABLE t_{number}_{act} (id integer); INSERT INTO t_{number}_{act} VALUES (1);"
        own = act == self.act
        if act == 2 or (own and self.place.startswith("alone.")):
            made += f"CREATE INDEX CONCURRENTLY i_{number}_{act} ON t_{number}_{act} (id);"
        if act == 3:
            made += f"INSERT INTO t_{number}_1 SELECT 2 FROM t_{number}_2;"
        return made + (f"ALTER TABLE users DROP COLUMN c_{number};" if own and self.place.startswith(LOSES) else "")

    def files(self, number: int) -> list[MigrationFile]:
        """In their order: of its stream, the newest."""
        paths = (
            f"database/migrations/migration_{number:04d}_first.sql",
            *(f"supabase/migrations/2026{number:04d}00000{act}_act_{act}.sql" for act in ACTS[1:]),
        )
        return add(*((path, self.text(number, act)) for act, path in zip(ACTS, paths, strict=True)))


def cases() -> list[Case]:
    """By the seed: each place once before any comes again."""
    chance = random.Random(sampling.SEED)
    by_place = {place: [Case(place, *rest) for rest in product(ACTS, (*ENDS, "refuse"))] for place in failpoints.NAMES}
    for of_a_place in by_place.values():
        chance.shuffle(of_a_place)
    rounds = [chance.sample(round_, len(round_)) for round_ in zip(*by_place.values(), strict=True)]
    return [case for round_ in rounds for case in round_][: sampling.size("PATH_FAILPOINTS")]


@dataclass
class Walk:
    """One case from the request to the end of the last one."""

    target: Target
    environment: Environment
    by: User

    def ask(self, file: MigrationFile) -> Operation:
        given = {"file": file.sha256, "streams": "all"}
        return request("migrations.path", by=self.by, environment=self.environment, parameters=given)

    def go(self, case: Case, number: int) -> None:
        files = case.files(number)
        operation = self.ask(files[-1])
        assert [one["label"] for one in operation.parameters["acts"]] == [file.name for file in files]

        def in_its_turn() -> bool:
            done = Application.objects.filter(asked_in=operation.pk).exclude(status="running")
            return done.count() == case.act - 1

        assert self.target.run_into(operation, case.fault, case.place, in_its_turn), f"{case} was never reached"
        operation = finish(operation)
        if operation.status != "succeeded":
            self.ended_clearly(operation, files, case, number)
            if self.recorded(files[-1]):
                return
            operation = finish(self.ask(files[-1]))
        assert operation.status == "succeeded", f"{case}: {operation.error}"
        self.each_once(files, number)

    def ended_clearly(self, operation: Operation, files: list[MigrationFile], case: Case, number: int) -> None:
        """What it says was applied, the history says too; of what it says was not, nothing is there."""
        assert (operation.status, case.fault) == ("failed", "refuse"), f"{case}: {operation.error}"
        at, result = case.act - 1, operation.result
        assert result["done"] == [file.name for file in files[:at]]
        state = next(one for one in REST if files[at].name in result.get(one, []))
        assert result["not_done"] == [file.name for file in files[at + (state != "not_done") :]]
        told = "".join(f" {words}: {', '.join(result[one])}." for one, words in REST.items() if result.get(one))
        assert operation.error == f"{REFUSED} Done before: {', '.join(result['done']) or 'nothing'}.{told}"
        recorded = [self.recorded(file) for file in files]
        assert recorded == [1] * at + [int(state == "unverified")] + [0] * (2 - at)
        missing = self.target.rows(f"SELECT to_regclass('t_{number}_{case.act}') IS NULL")
        assert missing == [(state == "not_done",)]

    def recorded(self, file: MigrationFile) -> int:
        query = f"SELECT count(*) FROM supabase_migrations.schema_migrations WHERE version = '{version_of(file)}'"
        return int(self.target.rows(query)[0][0])

    def each_once(self, files: list[MigrationFile], number: int) -> None:
        assert [self.recorded(file) for file in files] == [1, 1, 1]
        held = [self.target.rows(f"SELECT count(*) FROM t_{number}_{act}")[0][0] for act in ACTS]
        assert held == [2, 1, 1]
        assert self.target.rows(f"SELECT indisvalid FROM pg_index WHERE indexrelid = 'i_{number}_2'::regclass") == [
            (True,)
        ]
        assert self.target.rows("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
        applied = Application.objects.filter(file__in=files, status="applied")
        assert sorted(applied.values_list("file__path", flat=True)) == sorted(file.path for file in files)
        assert not Application.objects.filter(status__in=("running", "partly")).exists()


@pytest.fixture
def server() -> Iterator[Any]:
    with crashing_server() as running:
        yield running


@pytest.fixture
def walk(server: Any, ana: User, backups: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Walk:
    settings.OPS_LEASE_SECONDS = 30  # a busy machine must not look like a second fault
    for name in ("MIGRATION", "EXPORT"):
        monkeypatch.setenv(f"SAMPELIT_PRODUCTION_{name}_DSN", server.dsn("product"))
    production = Environment.objects.create(
        slug="production", name="Production", kind="production", votes_sensitive=0, votes_destructive=0
    )
    made = "CREATE TABLE users (id integer PRIMARY KEY)"
    add(("supabase/migrations/20260000000000_users.sql", made), ("database/migrations/migration_0000_users.sql", made))
    for stream in ("supabase", "migration"):
        baseline = request("migrations.baseline", by=ana, environment=production, parameters={"stream": stream})
        assert finish(baseline).status == "succeeded"
    return Walk(Target(server.dsn("product")), production, ana)


@pytest.mark.parametrize("part", range(PARTS))
def test_every_end_at_every_place_of_each_act(part: int, walk: Walk) -> None:
    every = [case for case in cases() if (case.place, case.fault) != (AFTER_COMMIT, "refuse")]
    for number, case in enumerate(every[part::PARTS], 1):
        began = time.monotonic()
        walk.go(case, number)
        print(f"{case.place:28} act {case.act} {case.fault:6} {time.monotonic() - began:.2f} s")
