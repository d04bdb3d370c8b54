"""A database with something to lose, and sessions of an ordinary role that owns it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from providers import postgres
from tests import portal_database
from tests.migrations_registry.effects.bench import Bench

SCHEMA = Path(__file__).with_name("bench.sql")
OWNER = "effects_owner"


@pytest.fixture(scope="session")
def bench_database() -> Iterator[str]:
    """Everything of it belongs to an ordinary role, which may log in."""
    server, name = portal_database.server, f"effects_{uuid4().hex[:12]}"
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        if not admin.execute("SELECT FROM pg_roles WHERE rolname = %s", [OWNER]).fetchone():
            role = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
            admin.execute(role.format(sql.Identifier(OWNER), sql.Literal(server.password)))
    server.create_database(name, owner=OWNER)
    with psycopg.connect(server.dsn(name, OWNER), autocommit=True) as owner:
        owner.execute(SCHEMA.read_text())
    yield name
    server.drop_database(name)


@pytest.fixture
def bench(bench_database: str) -> Iterator[Bench]:
    """For tests that leave nothing behind."""
    with _bench(bench_database, OWNER) as found:
        yield found


@pytest.fixture
def superuser(bench_database: str) -> Iterator[Bench]:
    """The same database, as a superuser."""
    with _bench(bench_database, "") as found:
        yield found


@pytest.fixture
def spoiled(bench_database: str) -> Iterator[Bench]:
    """A copy for a test that commits."""
    name = f"effects_{uuid4().hex[:12]}"
    portal_database.server.create_database(name, template=bench_database, owner=OWNER)
    with _bench(name, OWNER) as found:
        yield found
    portal_database.server.drop_database(name)


@contextmanager
def _bench(database: str, role: str) -> Iterator[Bench]:
    dsn = portal_database.server.dsn(database, role) if role else portal_database.server.dsn(database)
    with ExitStack() as stack:
        own, other = (stack.enter_context(postgres.connect(dsn, read_only=each)) for each in (False, True))
        yield Bench(own, other)
