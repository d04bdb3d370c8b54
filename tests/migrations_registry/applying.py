"""Applying in tests: a copy of Sampelit as production, one person who may everything, operations run to their end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User

from backups import proof
from migrations_registry.apply import alone, execute
from migrations_registry.discovery import discover
from migrations_registry.models import MigrationFile
from migrations_registry.services.registration import register_files
from operations.engine.request import request
from operations.engine.run import run_operation
from operations.models import Environment, Operation
from providers import postgres
from providers.postgres.history import read_history
from tests.backups.conftest import reused
from tests.factories import person

POOLS = frozenset({"export", "prove", "urgent"})
SANDBOX = Path(__file__).parents[2] / "sandbox" / "sql"
SCHEMA = [(f"database/schema/schema_{name}.sql", (SANDBOX / f"{name}.sql").read_bytes()) for name in ("core",)]
Act = Callable[..., Operation]


@pytest.fixture
def dsns(sampelit_copy: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_MIGRATION_DSN", sampelit_copy["migration"])
    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", sampelit_copy["export"])
    monkeypatch.setattr(execute, "TRIES", 4)
    monkeypatch.setattr(alone, "TRIES", 4)
    return sampelit_copy


@pytest.fixture
def production(dsns: dict[str, str]) -> Environment:
    return Environment.objects.create(
        slug="production", name="Production", kind="production", votes_sensitive=0, votes_destructive=0
    )


@pytest.fixture
def ana(db: None) -> User:
    return person("ana")


@pytest.fixture
def act(production: Environment, ana: User) -> Act:
    """Request an operation and run it here to its end."""

    def run(kind: str, **parameters: Any) -> Operation:
        return finish(request(kind, by=ana, environment=production, parameters=parameters, reason="test"))

    return run


def finish(operation: Operation) -> Operation:
    for _ in range(8):
        Operation.objects.filter(pk=operation.pk).update(due_at=None)
        run_operation(operation.pk, "test", POOLS, end_process=lambda: None)
        operation.refresh_from_db()
        if operation.status not in ("queued", "running"):
            break
    return operation


def add(*files: tuple[str, str | bytes]) -> list[MigrationFile]:
    found, rejected = discover([(path, text if isinstance(text, bytes) else text.encode()) for path, text in files])
    assert not rejected
    return register_files(found, source="tests", by="ana")


def add_supabase(version: int, text: str) -> MigrationFile:
    return add((f"supabase/migrations/202601{version:02d}000000_change_{version}.sql", text))[0]


@pytest.fixture
def baselined(act: Act, production: Environment) -> Environment:
    add_supabase(1, "CREATE TABLE users (id uuid PRIMARY KEY, email varchar(255))")
    operation = act("migrations.baseline", stream="supabase")
    assert operation.status == "succeeded", operation.error
    return production


def history(dsns: dict[str, str]) -> list[str]:
    with postgres.connect(dsns["migration"]) as connection:
        return [f"{row.version} {row.name}" for row in read_history(connection)]


def rows(dsn: str, query: str) -> list[Any]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture
def backups(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.BACKUP_STORE = f"file://{tmp_path}/store"
    monkeypatch.setattr(proof.prove, "__defaults__", (*proof.prove.__defaults__[:-2], reused, None))
