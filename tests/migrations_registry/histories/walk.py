"""One project's files in order, each through the portal on one database and through psql on another.

In: numbered texts. Out: for each file what became of it: applied equal, refused with its reason by either or both, or
DIFFERENT. After a refusal of the portal alone the file is run by hand, so that both databases go on from one state.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from psycopg import sql

from backups.models import Policy, Run
from migrations_registry.analysis.parsing.parser import Raw, parse
from migrations_registry.analysis.risk import is_transactional
from migrations_registry.drift import detect as drift_detect
from migrations_registry.fingerprint import compare
from migrations_registry.fingerprint.model import of_rows
from migrations_registry.kinds import rehearse as rehearse_kind
from migrations_registry.models import MigrationFile, Rehearsal
from migrations_registry.rehearsal import preparation
from migrations_registry.rehearsal import steps as rehearsal_steps
from migrations_registry.rehearsal.restored import Restored
from migrations_registry.services.registration import register_files
from migrations_registry.sources.discovery import discover
from operations.engine.request import request
from operations.models import Environment, Operation
from providers import postgres
from providers.embedded_postgres.install import bin_dir
from providers.errors import Refused
from providers.postgres.migrate.history import ensure_history
from providers.postgres.schema.objects import read_objects
from tests import portal_database
from tests.migrations_registry.applying import finish

APPLIED, BOTH, REFUSED, DIFFERENT = "applied equal", "refused by both", "refused by the portal", "DIFFERENT"
OWNER = "history_owner"
COUNTED = """SELECT format('%I.%I', n.nspname, c.relname), string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum)
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace LEFT JOIN pg_attribute a ON a.attrelid = c.oid
   AND attnum > 0 AND NOT attisdropped AND atttypid <> ALL ('{timestamptz,timestamp,date,time,timetz,uuid}'::regtype[])
 WHERE relkind = 'r' AND nspname NOT LIKE ALL ('{pg\\_%,information\\_schema,supabase\\_migrations,sampelit\\_ops%}')
 GROUP BY 1"""


@dataclass(frozen=True)
class Outcome:
    """`rehearsed`: what the copy said, passed, failed or unable; empty where it was not asked."""

    file: str
    what: str
    why: str = ""
    rehearsed: str = ""


@dataclass
class Walk:
    """`ours` and `theirs` are the databases; `by` asks for everything."""

    by: User
    environment: Environment
    ours: str
    theirs: str
    run: Run
    number: int = 0
    outcomes: list[Outcome] = field(default_factory=list)

    def take(self, name: str, data: bytes) -> Outcome:
        self.number += 1
        path = f"supabase/migrations/{20260000000000 + self.number}_{name}.sql"
        by_psql = self._psql(self.theirs, data)
        discovered, rejected = discover([(path, data)])
        if rejected:
            return self._refused(name, data, by_psql, rejected[0].reason, "")
        register_files(discovered, source="tests", by="ana")
        file = MigrationFile.objects.get(path=path)
        try:
            rehearsed = self._act("migrations.rehearse", file=file.sha256)
            applied = self._act("migrations.apply", file=file.sha256, out_of_order="yes")
        except Refused as refusal:
            return self._refused(name, data, by_psql, str(refusal), "")
        seen = Rehearsal.objects.filter(operation=rehearsed.pk).first()
        said = str(seen.status) if seen else rehearsed.error
        if applied.status != "succeeded":
            return self._refused(name, data, by_psql, applied.error, said)
        if by_psql:
            return Outcome(name, DIFFERENT, f"only psql refuses: {by_psql}", said)
        differs = self._difference()
        return Outcome(name, DIFFERENT if differs else APPLIED, differs, said)

    def _refused(self, name: str, data: bytes, by_psql: str, why: str, said: str) -> Outcome:
        if by_psql:
            differs = self._difference()
            return Outcome(name, DIFFERENT if differs else BOTH, differs or f"{why} | {by_psql}", said)
        by_hand = self._psql(self.ours, data)
        seen = drift_detect.read(self.environment)
        drift_detect.keep(self.environment, seen, because="run by hand")
        differs = by_hand or self._difference()
        return Outcome(name, DIFFERENT if differs else REFUSED, f"{why} {differs}".strip(), said)

    def _act(self, kind: str, **parameters: Any) -> Operation:
        asked = request(kind, by=self.by, environment=self.environment, parameters=parameters, reason="test")
        return finish(asked)

    def _psql(self, database: str, data: bytes) -> str:
        """What psql refuses; the whole file in one transaction, where its statements allow that."""
        script = Path("/dev/stdin")
        together = ["-1"] if _is_one_transaction(data) else []
        argv = [bin_dir() / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *together, "-f", script, dsn(database)]
        done = subprocess.run(argv, input=data, capture_output=True, check=False)
        if done.returncode and not together and database == self.theirs:
            renew(self.theirs, self.ours)  # what it left behind is not there at the portal's side
        lines = done.stderr.decode("utf-8", "replace").splitlines()
        return next((line for line in lines if "ERROR" in line), "failed") if done.returncode else ""

    def _difference(self) -> str:
        ours, theirs = _state(self.ours), _state(self.theirs)
        changes = [str(change) for change in compare(ours[0], theirs[0])]
        rows = [
            f"rows of {table}"
            for table in ours[1].keys() | theirs[1].keys()
            if ours[1].get(table) != theirs[1].get(table)
        ]
        return "; ".join([*changes, *sorted(rows)][:6])


def dsn(database: str) -> str:
    return portal_database.server.dsn(database, OWNER)


def renew(database: str, template: str) -> None:
    server = portal_database.server
    server.drop_database(database)
    server.create_database(database, template=template, owner=OWNER)


def _is_one_transaction(data: bytes) -> bool:
    found = parse(data)
    return all(
        isinstance(each, Raw) and each.kind != "TransactionStmt" and is_transactional(each.kind, each.node)
        for each in found
    )


def _state(database: str) -> tuple[Any, dict[str, Any]]:
    """Schema and rows; values that are of the moment or of chance are left out."""
    with postgres.connect(dsn(database), read_only=False) as connection:
        kept = [row for row in read_objects(connection) if "supabase_migrations" not in f"{row.name} {row.of}"]
        objects = of_rows((row.kind, row.name, row.of, row.sql) for row in kept if "sampelit_ops" not in row.name)
        rows = {}
        for table, columns in connection.execute(COUNTED).fetchall():
            each = f"hashtextextended(ROW({columns or 'NULL'})::text, 0)"
            query = f"SELECT count(*), sum({each}::numeric) FROM ONLY {table}"
            rows[table] = connection.execute(query.encode()).fetchone()
    return objects, rows


@contextmanager
def walking(by: User, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Walk]:
    """Two empty databases of one ordinary role; a rehearsal's copy is a copy of ours as it is then. A folder's `.roles`
    are those that its project has made by other means."""
    server, mark = portal_database.server, uuid4().hex[:8]
    ours, theirs = f"history_{mark}_ours", f"history_{mark}_psql"
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        if not admin.execute("SELECT FROM pg_roles WHERE rolname = %s", [OWNER]).rowcount:
            words = sql.SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD {}")
            admin.execute(words.format(sql.Identifier(OWNER), sql.Literal(server.password)))
        roles = (folder / ".roles").read_text(encoding="utf-8").split() if (folder / ".roles").exists() else []
        for role in roles:
            if not admin.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).rowcount:
                admin.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
            admin.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), sql.Identifier(OWNER)))
    for name in (ours, theirs):
        server.create_database(name, owner=OWNER)
        with psycopg.connect(server.dsn(name), autocommit=True) as admin:
            admin.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(sql.Identifier(OWNER)))
    with postgres.connect(dsn(ours), read_only=False) as connection:
        ensure_history(connection)
    environment = Environment.objects.create(
        slug=f"history-{mark}", kind="staging", votes_sensitive=0, votes_destructive=0
    )
    for purpose in ("migration", "export"):
        monkeypatch.setenv(environment.variable(purpose), dsn(ours))
    walk = Walk(by, environment, ours, theirs, _run(environment, by))
    monkeypatch.setattr(preparation, "run_for", lambda *_: walk.run)
    monkeypatch.setattr(rehearse_kind, "run_for", lambda *_: walk.run)
    monkeypatch.setattr(preparation, "_before", lambda *_: [])
    monkeypatch.setattr(rehearsal_steps, "restored", lambda *_, **__: _copied(ours))
    try:
        yield walk
    finally:
        for name in (ours, theirs):
            server.drop_database(name)


@contextmanager
def _copied(database: str) -> Iterator[Restored]:
    name = f"{database}_copy"
    renew(name, database)
    try:
        with postgres.connect(dsn(name), read_only=False) as own, postgres.connect(dsn(name), read_only=False) as other:
            yield Restored(own, other, {}, ())
    finally:
        portal_database.server.drop_database(name)


def _run(environment: Environment, by: User) -> Run:
    policy = Policy.objects.create(environment=environment, name="some", tables=["public.x"])
    made = Operation.objects.create(
        kind="backups.export",
        environment=environment,
        requested_by=by,
        status="queued",
        content_sha256=hashlib.sha256(b"").hexdigest(),
        risk="routine",
        approvals_required=0,
        expires_at=timezone.now() + timedelta(days=9),
    )
    return Run.objects.create(policy=policy, operation=made, snapshot_at=timezone.now())


def files_of(folder: Path) -> list[tuple[str, bytes]]:
    return [(re.sub(r"^\d+_", "", path.stem), path.read_bytes()) for path in sorted(folder.glob("*.sql"))]
