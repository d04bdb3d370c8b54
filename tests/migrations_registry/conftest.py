"""A database with the proof schema, read once; each test that changes it works in a transaction and rolls back.

And for applying: a copy of Sampelit as production, baselined if wanted, and one person who may everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User

from migrations_registry.analysis.facts import CatalogFacts
from migrations_registry.apply import non_transactional, transactions
from migrations_registry.services.live_facts import facts_of
from operations.engine.request import request
from operations.models import Environment, Operation
from providers.postgres.schema.live_facts import read_live
from tests import portal_database
from tests.factories import person
from tests.migrations_registry.applying import Act, add_supabase, finish
from tests.migrations_registry.truth.measuring import copied, proof_database
from tests.people import holder


@pytest.fixture(scope="session")
def proof_dsn() -> Iterator[str]:
    """A scratch database in which every sample of every rule can run."""
    with proof_database(portal_database.server) as name:
        yield portal_database.server.dsn(name)


@pytest.fixture(scope="session")
def proof_facts(proof_dsn: str) -> CatalogFacts:
    """The proof schema's live facts."""
    with psycopg.connect(proof_dsn, autocommit=True) as connection:
        return facts_of(read_live(connection))


@pytest.fixture
def copy_dsn(proof_dsn: str) -> Iterator[str]:
    """A copy of the proof database for one statement that cannot be rolled back."""
    with copied(portal_database.server, str(psycopg.conninfo.conninfo_to_dict(proof_dsn)["dbname"])) as dsn:
        yield dsn


@pytest.fixture
def dsns(sampelit_copy: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_MIGRATION_DSN", sampelit_copy["migration"])
    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", sampelit_copy["export"])
    monkeypatch.setattr(transactions, "TRIES", 4)
    monkeypatch.setattr(non_transactional, "TRIES", 4)
    return sampelit_copy


@pytest.fixture
def production(dsns: dict[str, str]) -> Environment:
    return Environment.objects.create(
        slug="production", name="Production", kind="production", votes_sensitive=0, votes_destructive=0
    )


@pytest.fixture
def bare_production(db: None) -> Environment:
    """Protected, with no database behind it."""
    return Environment.objects.create(slug="production", name="Production", kind="production", protected=True)


@pytest.fixture
def operator() -> User:
    return holder(
        "operator",
        "apply_migrationfile",
        "request_operation",
        "waive_finding",
        "view_migrationfile",
        "register_migrationfile",
        "approve_operation",
        "approve_waiver",
    )


@pytest.fixture
def ana(db: None) -> User:
    return person("ana")


@pytest.fixture
def act(production: Environment, ana: User) -> Act:
    """Request an operation and run it here to its end."""

    def act(kind: str, **parameters: Any) -> Operation:
        return finish(request(kind, by=ana, environment=production, parameters=parameters, reason="test"))

    return act


@pytest.fixture
def baselined(act: Act, production: Environment) -> Environment:
    add_supabase(1, "CREATE TABLE users (id uuid PRIMARY KEY, email varchar(255))")
    operation = act("migrations.baseline", stream="supabase")
    assert operation.status == "succeeded", operation.error
    return production


@pytest.fixture
def backups(settings: Any, tmp_path: Path, reused_drill: None) -> None:
    settings.BACKUP_STORE = f"file://{tmp_path}/store"


@pytest.fixture
def precious(dsns: dict[str, str]) -> None:
    """A table of the migration's own role, so that nothing but the guard stands before its loss."""
    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        admin.execute("CREATE TABLE public.precious (id integer PRIMARY KEY, note text)")
        admin.execute("INSERT INTO public.precious SELECT g, 'kept' FROM generate_series(1, 50) g")
        admin.execute("ALTER TABLE public.precious OWNER TO sampelit_migration")
