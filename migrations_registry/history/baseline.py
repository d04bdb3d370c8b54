"""Baseline: what of a stream is applied on a target is observed, approved by a second person and written as history.

In: an environment and a stream. Out: history rows in the target, without any of the files' SQL being run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.db import transaction

from ledger.services import record
from migrations_registry.drift import detect as drift_detect
from migrations_registry.history.states import row_of, rows_of, version_of
from migrations_registry.models import MigrationFile, StreamBaseline
from migrations_registry.observing import APPLIED, NOT, ObservedState, expected, observe
from operations.dsns import migration_dsn
from operations.models import Environment
from providers import postgres
from providers.errors import Refused
from providers.postgres.connection import Connection
from providers.postgres.locked_session import guarded_session
from providers.postgres.migrate.history import HistoryRow, ensure_history, read_history, standpoint, write_history

LOCK_TIMEOUT = "4s"


@dataclass(frozen=True)
class Proposal:
    """What one file's state is by observation; `recorded` where the target's history has it already."""

    file: MigrationFile
    observed: ObservedState
    recorded: bool

    @property
    def decided(self) -> bool:
        return self.recorded or self.observed.state in (APPLIED, NOT)

    def as_json(self) -> dict[str, object]:
        return {
            "path": self.file.path,
            "sha256": self.file.sha256,
            "state": self.observed.state,
            "missing": list(self.observed.missing),
            "recorded": self.recorded,
        }


def refuse_unfit(environment: Environment) -> None:
    """Look whether the history can be written there at all. Raises Refused with the reason, and ProviderError."""
    name = environment.variable("migration")
    with postgres.connect(migration_dsn(environment)) as connection:
        with postgres.explained("Looking at the target, which was not changed,"):
            session_mode, standing = postgres.facts(connection).session_mode, standpoint(connection)
    if not session_mode:
        raise Refused(
            f"{name} leads to a pooler in transaction mode, where limits and locks are lost. Nothing was changed; use "
            "the session pooler (port 5432) or the host."
        )
    if standing.obstacle:
        raise Refused(f"{environment}: {standing.obstacle}. Nothing was changed; correct {name} or that role's rights.")


def propose(environment: Environment, stream: str) -> list[Proposal]:
    """Observe every file of the stream; nothing is written. Raises Refused and ProviderError."""
    files = list(MigrationFile.objects.newest().order_by("position", "path"))
    if not any(file.stream == stream for file in files):
        raise Refused(f"No file of the stream {stream} is registered. Nothing was requested; register the files first.")
    observed = observe([expected(file.data) for file in files], drift_detect.read(environment))
    recorded = {row.version for row in rows_of(environment)}
    return [
        Proposal(file, state, version_of(file) in recorded)
        for file, state in zip(files, observed, strict=True)
        if file.stream == stream
    ]


def applied(proposals: list[Proposal], as_applied: list[str]) -> list[MigrationFile]:
    """The files that count as applied: observed, or named by the person."""
    return [
        proposal.file
        for proposal in proposals
        if proposal.recorded or proposal.observed.state == APPLIED or proposal.file.name in as_applied
    ]


def write(environment: Environment, dsn: str, files: list[MigrationFile], lease_seconds: float) -> int:
    """Write the history rows that are missing, in one transaction; how many. Raises ProviderError."""
    wanted = [row_of(file) for file in files]
    key = f"schema:{environment.slug}"
    with guarded_session(dsn, key, lease_seconds=lease_seconds, wait_seconds=lease_seconds) as connection:
        with postgres.explained("Writing the migration history, of which nothing was kept,"):
            return _write(connection, wanted)


def _write(connection: Connection, wanted: list[HistoryRow]) -> int:
    with connection.transaction():
        connection.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
        ensure_history(connection)
        known = {row.version for row in read_history(connection)}
        new = [row for row in wanted if row.version not in known]
        for row in new:
            write_history(connection, row)
    return len(new)


def remember(environment: Environment, stream: str, *, proposals: list[Proposal], operation: str, by: str) -> None:
    """From now on files of this stream may be applied here."""
    rows = [proposal.as_json() for proposal in proposals]
    with transaction.atomic():
        _, created = StreamBaseline.objects.update_or_create(
            environment=environment,
            stream=stream,
            defaults={"operation": operation, "proposal": rows, "made_by": by},
        )
        record(
            "migrations_registry.baseline.made",
            actor=by,
            environment=environment.slug,
            subject=stream,
            data={"operation": operation, "files": [f"{row['path']} {row['state']}" for row in rows], "first": created},
        )


def content(proposals: list[Proposal]) -> bytes:
    """What the votes bind: the files' bytes and what was observed of each; another observation ends the request."""
    rows = [
        [proposal.file.path, proposal.file.sha256, proposal.observed.state, proposal.observed.missing]
        for proposal in proposals
    ]
    return json.dumps(rows, sort_keys=True).encode()


def is_baselined(environment: Environment, stream: str) -> bool:
    return StreamBaseline.objects.filter(environment=environment, stream=stream).exists()
