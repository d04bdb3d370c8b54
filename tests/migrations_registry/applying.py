"""Applying in tests: files registered, operations run to their end, what the target says; fixtures are in conftest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from migrations_registry.models import MigrationFile
from migrations_registry.services.registration import register_files
from migrations_registry.sources.discovery import discover
from operations.engine.run import run_operation
from operations.models import Operation
from providers import postgres
from providers.postgres.migrate.history import read_history

POOLS = frozenset({"export", "prove", "urgent", "deploy"})
SANDBOX = Path(__file__).parents[2] / "sandbox" / "sql"
SCHEMA = [(f"database/schema/schema_{name}.sql", (SANDBOX / f"{name}.sql").read_bytes()) for name in ("core",)]
Act = Callable[..., Operation]


def finish(operation: Operation) -> Operation:
    for _ in range(8):
        Operation.objects.filter(pk=operation.pk).update(due_at=None)
        run_operation(operation.pk, "test", POOLS, end_process=lambda: None)
        operation.refresh_from_db()
        if operation.status not in ("queued", "running"):
            break
    return operation


def add(*files: tuple[str, str | bytes]) -> list[MigrationFile]:
    discovered, rejected = discover(
        [(path, text if isinstance(text, bytes) else text.encode()) for path, text in files]
    )
    assert not rejected
    return register_files(discovered, source="tests", by="ana")


def add_supabase(version: int, text: str) -> MigrationFile:
    return add((f"supabase/migrations/202601{version:02d}000000_change_{version}.sql", text))[0]


def history(dsns: dict[str, str]) -> list[str]:
    with postgres.connect(dsns["migration"]) as connection:
        return [f"{row.version} {row.name}" for row in read_history(connection)]


def rows(dsn: str, query: str) -> list[Any]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(query).fetchall()
