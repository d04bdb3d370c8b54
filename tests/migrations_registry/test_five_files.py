"""Five files of Sampelit's own shape and names on a live database: what is applied is seen, nothing is executed.

The SQL is written afresh from the facts: no history table, names that carry status, IF NOT EXISTS here and not there,
equal constraint names on several tables, DO blocks, comments that leave no trace, accents and emoji.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from migrations_registry.drift import detect as drift_detect
from migrations_registry.fingerprint.model import Fingerprint, of_rows
from migrations_registry.history import baseline
from migrations_registry.history import states as history_states
from migrations_registry.observing import APPLIED, NOT, PARTLY, expected, observe
from migrations_registry.services.registration import register_files
from migrations_registry.sources.discovery import DiscoveredFile, discover
from operations.models import Environment
from providers.postgres.schema.objects import read_objects
from sandbox.database import SQL
from sandbox.roles import create_roles
from tests import portal_database

FIVE = Path(__file__).with_name("five")
PHASE1, INTEGRATIONS, AUDIT, ROLES, LEADS = (
    "schema_phase1_PRODUCTION_READY.sql",
    "schema_integrations_PRODUCTION_READY.sql",
    "schema_audit.sql",
    "migration_01_add_roles.sql",
    "schema_leads.sql",
)
ORDERS = ([PHASE1, LEADS, INTEGRATIONS, AUDIT, ROLES], [LEADS, PHASE1, ROLES, AUDIT, INTEGRATIONS])


@pytest.fixture(scope="module")
def files() -> list[DiscoveredFile]:
    discovered, rejected = discover([(f"database/schema/{path.name}", path.read_bytes()) for path in FIVE.iterdir()])
    assert not rejected
    return discovered


@pytest.fixture
def live() -> Iterator[psycopg.Connection]:
    """A database with what Supabase brings (schema auth), and nothing of the product."""
    name = f"five_{uuid4().hex[:12]}"
    create_roles(portal_database.server)
    portal_database.server.create_database(name)
    with psycopg.connect(portal_database.server.dsn(name), autocommit=True) as connection:
        connection.execute((SQL / "platform.sql").read_text())
        yield connection
    portal_database.server.drop_database(name)


def seen(live: psycopg.Connection) -> Fingerprint:
    return of_rows((row.kind, row.name, row.of, row.sql) for row in read_objects(live))


def states(files: list[DiscoveredFile], live: psycopg.Connection) -> dict[str, str]:
    observed = observe([expected(file.data) for file in files], seen(live))
    return {Path(file.path).name: state.state for file, state in zip(files, observed, strict=True)}


def run_file(live: psycopg.Connection, file: str) -> None:
    live.execute((FIVE / file).read_text())


def test_the_order_is_by_need_not_by_name(files: list[DiscoveredFile]) -> None:
    names = [Path(file.path).name for file in files]
    assert names.index(PHASE1) < min(names.index(file) for file in (INTEGRATIONS, AUDIT, ROLES))


@pytest.mark.parametrize("order", ORDERS)
def test_every_prefix_and_every_half_is_seen(
    files: list[DiscoveredFile], live: psycopg.Connection, order: list[str]
) -> None:
    assert states(files, live) == dict.fromkeys(order, NOT)
    for number, name in enumerate(order):
        statements = history_states.split((FIVE / name).read_bytes())
        for cut in {1, len(statements) // 2}:
            live.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            for statement in statements[: max(cut, 3 if name == PHASE1 else 1)]:
                live.execute(statement)
            assert states(files, live)[name] == PARTLY, (name, cut)
            live.execute("ROLLBACK")
        run_file(live, name)
        done = set(order[: number + 1])
        assert states(files, live) == {name: APPLIED if name in done else NOT for name in order}


@pytest.mark.django_db
def test_a_live_copy_is_baselined_and_nothing_runs(
    files: list[DiscoveredFile], live: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows were written since, an index was rebuilt and the tables vacuumed; the second run of a file would fail."""
    for name in ORDERS[0]:
        run_file(live, name)
    live.execute("INSERT INTO users (email, name) SELECT n || '@ñ.example', 'x' FROM generate_series(1, 50) n")
    live.execute("REINDEX TABLE users")
    live.execute("VACUUM FULL ANALYZE")
    dsn = portal_database.server.dsn(live.info.dbname)
    monkeypatch.setenv("SAMPELIT_PRODUCTION_MIGRATION_DSN", dsn)
    production = Environment.objects.create(slug="production", name="Production")
    register_files(files, source="tests", by="ana")
    before = drift_detect.read(production)

    for stream in ("schema", "migration"):
        proposals = baseline.propose(production, stream)
        assert {proposal.observed.state for proposal in proposals} == {APPLIED}
        baseline.write(production, dsn, baseline.applied(proposals, []), 30)

    assert [row.name for row in history_states.rows_of(production)] == [Path(file.path).stem for file in files]
    objects = [
        item for item in drift_detect.read(production).objects if "supabase_migrations" not in f"{item.name} {item.of}"
    ]
    assert objects == list(before.objects)
    with pytest.raises(psycopg.errors.DuplicateTable):
        run_file(live, PHASE1)
