"""Two clusters with a few databases, and a kind of operation that writes one row into its environment's database."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from operations.dsns import migration_dsn
from operations.engine import kinds, specs
from operations.engine.context import StepContext
from operations.engine.request import request
from operations.engine.run import run_operation
from operations.models import Environment, Operation
from providers import postgres
from providers.embedded_postgres.server import EmbeddedPostgres
from providers.embedded_postgres.throwaway import throwaway
from tests import portal_database
from tests.people import holder
from tests.stepping import approve

POOLS = frozenset(specs.POOLS)
TABLE = "CREATE TABLE public.marks (operation text)"


@pytest.fixture(autouse=True)
def long_leases(settings: Settings) -> None:
    """What is asked here is who answers, not how fast a busy machine is."""
    settings.OPS_LEASE_SECONDS = 600


@pytest.fixture(scope="session")
def cluster() -> Iterator[EmbeddedPostgres]:
    """A server of its own that is reached by a socket too."""
    with tempfile.TemporaryDirectory(prefix="ops-socket-", dir="/tmp") as sockets:
        Path(sockets).chmod(0o777)
        with throwaway(unix_socket_directories=sockets) as server:
            with psycopg.connect(server.dsn(), autocommit=True) as connection:
                for role in ("reader", "owner"):
                    connection.execute(f"CREATE ROLE {role} LOGIN SUPERUSER PASSWORD '{server.password}'")
            yield server


@pytest.fixture
def databases(cluster: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    """`product` and `elsewhere`, each with an empty table of marks."""
    for name in ("product", "elsewhere"):
        fresh(cluster, name)
    yield cluster
    for name in cluster.databases():
        if name not in ("postgres", "template0", "template1"):
            cluster.drop_database(name)


def fresh(server: EmbeddedPostgres, name: str) -> str:
    """An empty database of this name, whatever had it before; its DSN."""
    server.drop_database(name)
    server.create_database(name)
    with psycopg.connect(server.dsn(name), autocommit=True) as connection:
        connection.execute(TABLE)
    return server.dsn(name)


@pytest.fixture
def restored_copy() -> Iterator[str]:
    """A database of the same name on another server."""
    yield fresh(portal_database.server, "product")
    portal_database.server.drop_database("product")


def marks(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT count(*) FROM public.marks").fetchone()
    assert row is not None
    return int(row[0])


class Writes(kinds.OperationKind):
    """`before`: what happens after the claim and before the session that writes."""

    name, label, permission, risk = "test.writes", "Write a row", "operations.run_rehearsal", "destructive"
    connects = ("migration",)
    allowed_in_freeze = False

    def __init__(self) -> None:
        self.before: Callable[[], object] = lambda: None
        self.steps = [specs.step("wait", self.wait), specs.step("write", write)]

    def wait(self, ctx: StepContext) -> None:
        self.before()


def write(ctx: StepContext) -> None:
    with postgres.connect(migration_dsn(ctx.environment), read_only=False) as connection:
        connection.execute("INSERT INTO public.marks VALUES (%s)", [ctx.operation.pk])


@pytest.fixture
def kind() -> Iterator[Writes]:
    made = Writes()
    kinds.register(made)
    yield made
    del kinds.registry.kinds[made.name]


@pytest.fixture
def people(db: None) -> list[User]:
    return [holder("olga", "run_rehearsal"), *(holder(name, "approve_operation") for name in ("ada", "ben"))]


def voted(environment: Environment, people: list[User]) -> Operation:
    """Asked for, and approved by as many as it asks for."""
    operation = request("test.writes", by=people[0], environment=environment, parameters={}, reason="a test")
    for person in people[1 : 1 + operation.approvals_required]:
        operation = approve(operation, by=person)
    return operation


def run(operation: Operation) -> Operation:
    run_operation(operation.pk, "worker", POOLS, end_process=lambda: None)
    operation.refresh_from_db()
    return operation


def known(environment: Environment) -> Environment:
    """The same, after its first connection."""
    postgres.connect(migration_dsn(environment)).close()
    return Environment.objects.get(pk=environment.pk)
