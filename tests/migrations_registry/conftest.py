"""A database with the proof schema, read once; each test that changes it works in a transaction and rolls back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from migrations_registry.analysis.facts import CatalogFacts
from migrations_registry.services.facts import facts_of
from providers.postgres.live import read_live
from tests import portal_database

PROOF_SCHEMA = Path(__file__).with_name("proof_schema.sql")


@pytest.fixture(scope="session")
def proof_dsn() -> Iterator[str]:
    """A scratch database in which every sample of every rule can run."""
    name = f"proof_{uuid4().hex[:12]}"
    portal_database.server.create_database(name)
    dsn = portal_database.server.dsn(name)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(PROOF_SCHEMA.read_text())
        connection.execute("ANALYZE")
        connection.execute("SET allow_in_place_tablespaces = on")
        connection.execute("DROP TABLESPACE IF EXISTS spare_space")
        connection.execute("CREATE TABLESPACE spare_space LOCATION ''")
    yield dsn
    portal_database.server.drop_database(name)


@pytest.fixture(scope="session")
def proof_facts(proof_dsn: str) -> CatalogFacts:
    """The proof schema's live facts."""
    with psycopg.connect(proof_dsn, autocommit=True) as connection:
        return facts_of(read_live(connection))
