"""One file at a time against a database prepared for it, through the runner's own transactions, as voted for.

In: a text, the risk that was voted on. Out: what was there before and is not any more, and whether it was applied.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from django.contrib.auth.models import User
from django.utils import timezone

from migrations_registry.analysis import analyse
from migrations_registry.analysis.plan import Plan, plan
from migrations_registry.apply.attempt import Attempt, journal
from migrations_registry.apply.transactions import run_steps
from migrations_registry.effects.unseen import refusals
from migrations_registry.models import Application, MigrationFile
from operations.engine.claim import claim
from operations.engine.context import Limits, StepContext
from operations.models import Environment, Operation, Status, Step
from providers import postgres
from providers.errors import ProviderError, Refused
from providers.postgres.migrate.history import ensure_history
from tests import portal_database
from tests.migrations_registry.applying import add_supabase
from tests.migrations_registry.effects.prepared import prepare
from tests.people import asked_for

LOSSES = Path(__file__).with_name("losses.sql").read_text()


@dataclass(frozen=True)
class Outcome:
    """`lost`: as (what, name); `error`: why it was rolled back, empty where it was applied."""

    lost: frozenset[tuple[str, str]]
    error: str


class Arena:
    """Copies of one template, in which files run; the portal's own rows are as for any application."""

    def __init__(self, template: str, owner: str, by: User, monkeypatch: Any) -> None:
        self.template, self.owner, self.by, self.monkeypatch = template, owner, by, monkeypatch

    def run(self, text: str, risk: str) -> Outcome | None:
        """None where nothing was found that makes the text run, or the plan itself refuses it."""
        steps = plan(analyse(text.encode(), as_runner=True))
        if steps.refusals or refusals(text.encode()):
            return None
        with self._database() as (dsn, admin, environment):
            with psycopg.connect(dsn, autocommit=True) as owner:
                owner.execute("SET search_path = public, extensions; SET lock_timeout = '2s'")
                made = prepare(owner, text, admin)
                if made is None:
                    return None
                for statement in made:
                    owner.execute(statement.encode())
                ensure_history(owner)
            before = _state(admin)
            error = self._apply(self._attempt(add_supabase(2, text), risk, steps, environment), dsn)
            return Outcome(_lost(before, _state(admin)), error)

    @contextmanager
    def _database(self) -> Iterator[tuple[str, psycopg.Connection[Any], Environment]]:
        """A copy, and an environment of its own: one environment never means two databases."""
        name = f"effects_{uuid4().hex[:12]}"
        environment = Environment.objects.create(slug=name.replace("_", "-"), kind="staging", votes_destructive=0)
        server = portal_database.server
        server.create_database(name, template=self.template, owner=self.owner)
        try:
            dsn = server.dsn(name, self.owner)
            for purpose in ("migration", "export"):
                self.monkeypatch.setenv(environment.variable(purpose), dsn)
            with psycopg.connect(server.dsn(name), autocommit=True) as admin:
                yield dsn, admin, environment
        finally:
            server.drop_database(name)

    def _apply(self, attempt: Attempt, dsn: str) -> str:
        try:
            with postgres.connect(dsn, read_only=False) as own, postgres.connect(dsn) as attempt.other:
                run_steps(attempt, own)
        except (Refused, ProviderError) as refusal:
            return str(refusal)
        finally:
            attempt.row.delete()
            MigrationFile.objects.filter(pk=attempt.file.pk).delete()
        return ""

    def _attempt(self, file: MigrationFile, risk: str, steps: Plan, environment: Environment) -> Attempt:
        """As the engine's claim and the preflight leave it."""
        operation = Operation.objects.create(
            kind="migrations.apply",
            environment=environment,
            parameters={"file": file.sha256},
            content_sha256=file.sha256,
            risk=risk,
            approvals_required=0,
            requested_by=self.by,
            expires_at=timezone.now() + timedelta(hours=1),
            status=Status.QUEUED,
        )
        lease = claim(asked_for(operation).pk, "arena")
        assert lease is not None
        operation.refresh_from_db()
        step = Step.objects.create(operation=operation, position=0, name="apply", pool="export")
        row = Application.objects.create(
            operation=operation.pk, file=file, environment=environment, steps=journal(steps)
        )
        return Attempt(StepContext(operation, step, Limits(600, 600), lease), row)


def _state(admin: psycopg.Connection[Any]) -> dict[tuple[str, str], object]:
    """How everything stands, with the rows of each table."""
    found: dict[tuple[str, str], object] = {(what, name): how for what, name, how in admin.execute(LOSSES)}
    tables = [name for what, name in found if what == "counted"]
    for table in tables:
        found["rows", table] = admin.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    return found


def _lost(before: dict[tuple[str, str], Any], after: dict[tuple[str, str], Any]) -> frozenset[tuple[str, str]]:
    """What is gone or stands otherwise; of rows, only fewer of them."""
    return frozenset(
        key
        for key, how in before.items()
        if key not in after or (after[key] < how if key[0] == "rows" else after[key] != how)
    )
