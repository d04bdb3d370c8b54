"""Restored by an ordinary role into its own database: whole, or refused, or what did not come is told; never silent."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg import conninfo

from backups.policy_spec import PolicySpec
from backups.restore.into_empty import Target, restore
from providers.errors import ProviderError
from providers.storage.base import Store
from tests import portal_database
from tests.backups.conftest import exported
from tests.backups.schema.conftest import dumped
from tests.backups.schema.test_kinds import KINDS, OTHERWISE

pytestmark = pytest.mark.slow

ALL = PolicySpec("whole", "production", ("*",))
RIGHTS = ("ALTER DEFAULT PRIVILEGES", "GRANT ", "REVOKE ")


@pytest.fixture
def mine() -> Iterator[tuple[str, str]]:
    """DSNs of a database: of the ordinary role that owns it, of a superuser."""
    name, role = f"mine_{uuid4().hex[:12]}", f"ordinary_{uuid4().hex[:10]}"
    admin = portal_database.server.dsn("postgres")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
        connection.execute(f"CREATE DATABASE {name} OWNER {role} TEMPLATE template0")
    dsn = portal_database.server.dsn(name)
    yield conninfo.make_conninfo(dsn, user=role, password="x"), dsn
    portal_database.server.drop_database(name)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"DROP ROLE {role}")


def rights_apart(lines: list[str]) -> list[str]:
    return [line for line in lines if not line.startswith(RIGHTS)]


@pytest.mark.sampled(8)
@pytest.mark.parametrize("kind", KINDS)
def test_an_ordinary_owner_gets_all_or_is_told(kind: str, database, mine: tuple[str, str], store: Store) -> None:
    source = database(KINDS[kind])
    manifest = exported(source, store, ALL)
    owner, admin = mine

    try:
        done = restore(manifest, store, (), Target(owner))
    except ProviderError as refused:
        told = str(refused)
        done = None
    if done is None:
        assert "rolled back" in told or "undone" in told
        return

    a, b = rights_apart(dumped(admin)), rights_apart(dumped(source))
    assert a == b or done.notes or OTHERWISE.get(kind) == ""  # the same, printed otherwise once it was read back
