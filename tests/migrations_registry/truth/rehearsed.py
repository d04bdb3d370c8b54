"""A text applied for real to one database, and rehearsed on another that was restored from a run of it.

In: a text of the truth table. Out: Told, what each side did; of the application as the tests' own onlooker saw it.
The restored copy lies in a drill's cell, whose superuser stays here so that each text gets a copy of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.contrib.auth.models import User
from psycopg import sql

from backups.archive import drill_database
from backups.models import Policy, Run
from backups.progress import SILENT
from migrations_registry.apply.attempt import Attempt
from migrations_registry.drift import detect as drift_detect
from migrations_registry.models import Application, MigrationFile, Rehearsal, StreamBaseline
from migrations_registry.rehearsal import preparation
from migrations_registry.rehearsal import steps as rehearsal_steps
from migrations_registry.rehearsal.restored import Restored, restored
from migrations_registry.sources.discovery import discover
from migrations_registry.undo.keep_choice import KEEP, NOTHING
from operations.engine.request import request
from operations.models import Environment, Operation
from providers import postgres
from providers.embedded_postgres.cell import Cell, cell
from providers.embedded_postgres.server import EmbeddedPostgres
from providers.errors import Refused
from providers.postgres.migrate import session as migrate_session
from providers.postgres.migrate.history import ensure_history
from providers.postgres.schema.platform_objects import around
from tests import portal_database
from tests.migrations_registry.applying import add, finish
from tests.migrations_registry.truth.measuring import ROLES, proof_database
from tests.migrations_registry.truth.watcher import APPLIED, FAILED, INDEXES, REFUSED, UNABLE, Told, Watcher

OWNER = "truth_owner"


@dataclass
class Pair:
    """`real`: the name of the target's database, a copy of `proof`; `cell` holds `template`, which was restored."""

    by: User
    environment: Environment
    proof: str
    real: str
    cell: EmbeddedPostgres
    template: str
    login: str
    watcher: Watcher = field(default_factory=Watcher)
    number: int = 0
    indexes: set[str] = field(default_factory=set)

    def take(self, text: str) -> tuple[Told, Told]:
        """What it did on the target and in the cell."""
        self.number += 1
        self._renew()
        drift_detect.keep(self.environment, drift_detect.read(self.environment), because="a new text")
        Application.objects.filter(status="partly").update(status="failed")
        self.watcher.begin()
        with psycopg.connect(portal_database.server.dsn(self.real)) as connection:
            self.indexes = {name for (name,) in connection.execute(INDEXES)}
        path = f"supabase/migrations/{20260000000000 + self.number}_text.sql"
        if rejected := discover([(path, text.encode())])[1]:
            return Told(REFUSED, rejected[0].reason), Told(REFUSED, rejected[0].reason)
        (file,) = add((path, text))
        rehearsed = self._rehearsed(file)
        return self._applied(file), rehearsed

    def _renew(self) -> None:
        """The same database to the portal, which would not take another one of that name."""
        server = portal_database.server
        with psycopg.connect(server.dsn(), autocommit=True) as admin:
            found = admin.execute("SELECT oid FROM pg_database WHERE datname = %s", [self.real]).fetchone()
            server.drop_database(self.real)
            words = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY file_copy OID {}")
            names = (sql.Identifier(name) for name in (self.real, self.proof, OWNER))
            admin.execute(words.format(*names, sql.Literal(found[0] if found else 0)))

    def _rehearsed(self, file: MigrationFile) -> Told:
        try:
            operation = self._act("migrations.rehearse", file=file.sha256)
        except Refused as refusal:
            return Told(REFUSED, refusal.reason)
        seen = Rehearsal.objects.filter(operation=operation.pk).first()
        if seen is None:
            return Told(REFUSED, operation.error)
        told = Told({"passed": APPLIED, "failed": FAILED}.get(seen.status, UNABLE), seen.error)
        for line in seen.report["statements"]:
            for name, mode in (lock.rsplit(": ", 1) for lock in line["locks"]):
                if not name.startswith("supabase_migrations."):
                    told.takes(name, mode, self.indexes)
            told.rewritten |= set(line["rewritten"])
            told.scanned |= set(line["scanned"])
        told.effects = [_as_owned(effect["said"]) for step in seen.report["effects"].values() for effect in step]
        return told

    def _applied(self, file: MigrationFile) -> Told:
        try:
            operation = self._act("migrations.apply", file=file.sha256, out_of_order="yes", **{KEEP: NOTHING})
        except Refused as refusal:
            return Told(REFUSED, refusal.reason)
        row = Application.objects.filter(operation=operation.pk).first()
        if row is None:
            return Told(REFUSED, operation.error)
        told = replace(self.watcher.told, outcome=APPLIED if operation.status == "succeeded" else FAILED)
        told.why = operation.error
        told.effects = [said for step in row.steps for said in step.get("effects", {}).get("did", [])]
        return told

    def _act(self, kind: str, **parameters: Any) -> Operation:
        asked = request(kind, by=self.by, environment=self.environment, parameters=parameters, reason="test")
        return finish(asked)

    @contextmanager
    def restored(self, *_: object, **__: object) -> Iterator[Restored]:
        """A copy of what was restored once."""
        name = f"drill_{uuid4().hex[:12]}"
        self.cell.create_database(name, template=self.template)
        role = psycopg.conninfo.conninfo_to_dict(self.login)["user"]
        with psycopg.connect(self.cell.dsn(), autocommit=True) as admin:
            words = sql.SQL("GRANT CREATE, CONNECT, TEMPORARY ON DATABASE {} TO {}")
            admin.execute(words.format(sql.Identifier(name), sql.Identifier(str(role))))
        login = psycopg.conninfo.make_conninfo(self.login, dbname=name)
        try:
            with (
                postgres.connect(login, read_only=False) as own,
                postgres.connect(login, read_only=False) as other,
            ):
                counted = other.execute("SELECT oid::regclass::text, reltuples FROM pg_class WHERE reltuples > 0")
                yield Restored(own, other, {f"public.{table}": int(rows) for table, rows in counted}, ())
        finally:
            self.cell.drop_database(name)


def _as_owned(said: str) -> str:
    """Who owns the copy has another name."""
    return re.sub(r"drill_owner_\w+", OWNER, said)


@contextmanager
def pair(by: User, environment: Environment, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    server, real = portal_database.server, f"real_{uuid4().hex[:12]}"
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        if not admin.execute("SELECT FROM pg_roles WHERE rolname = %s", [OWNER]).rowcount:
            admin.execute(f"CREATE ROLE {OWNER} LOGIN PASSWORD '{server.password}'".encode())
    with proof_database(server, OWNER) as proof, ExitStack() as stack:
        stack.callback(server.drop_database, real)
        with psycopg.connect(server.dsn(), autocommit=True) as admin:
            for role in ROLES:  # as whoever migrates a project of Supabase is
                admin.execute(f"GRANT {role} TO {OWNER}".encode())
        with postgres.connect(server.dsn(proof, OWNER), read_only=False) as connection:
            ensure_history(connection)
        server.create_database(real, template=proof, owner=OWNER)
        for purpose in ("migration", "export"):
            monkeypatch.setenv(environment.variable(purpose), server.dsn(real, OWNER))
        StreamBaseline.objects.create(environment=environment, stream="supabase", proposal=[], made_by="ana")
        Policy.objects.create(environment=environment, name="whole", tables=["*"])
        made = request("backups.export", by=by, environment=environment, parameters={"policy": "whole"}, reason="test")
        made = finish(made)
        assert made.status == "succeeded", made.error
        run = Run.objects.get(operation=made)
        running = stack.enter_context(_open_cell(monkeypatch))
        with postgres.connect(server.dsn(proof, OWNER)) as connection:
            beside = around(connection, ["auth"])
        copy = stack.enter_context(restored(run, SILENT, beside, schema_only=False))
        login, template = copy.own.info.dsn, copy.own.info.dbname
        login = psycopg.conninfo.make_conninfo(login, password=copy.own.info.password)
        copy.own.close()
        copy.other.close()
        with psycopg.connect(running.dsn(), autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [template])
        found = Pair(by, environment, proof, real, running, template, login)
        monkeypatch.setattr(preparation, "_before", lambda *_: [])
        monkeypatch.setattr(rehearsal_steps, "restored", found.restored)
        monkeypatch.setattr(Attempt, "run", _watched(found.watcher))
        yield found


def _watched(watcher: Watcher) -> Callable[..., int]:
    """Attempt.run, looked at."""

    def run(attempt: Attempt, connection: Any, step: dict[str, Any], statement: bytes) -> int:
        look = watcher.inside if step["transactional"] else watcher.alone
        return look(connection, attempt.other_session, lambda: migrate_session.run(connection, statement))

    return run


@contextmanager
def _open_cell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cell]:
    """A drill's cell that whoever prepared it can still enter, for copies of what was restored there."""
    monkeypatch.setattr(Cell, "seal", lambda *_: "")
    with cell() as running:
        monkeypatch.setattr(drill_database, "drill_server", lambda *_: _same(running))
        yield running


@contextmanager
def _same(running: Cell) -> Iterator[Cell]:
    yield running
