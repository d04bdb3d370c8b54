"""A drill on an operator's own server: the same role, nothing left behind, never the server of the source."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import psycopg
import pytest

from backups.archive import drill_database
from backups.archive.manifest import Manifest
from backups.policy_spec import PolicySpec
from backups.proof.prove import prove
from providers.embedded_postgres import own_server
from providers.embedded_postgres.own_server import OwnServer
from providers.errors import ProviderError, Refused
from providers.storage.base import Store
from tests import portal_database
from tests.backups.conftest import exported
from tests.backups.schema.conftest import database as database

TEXT = "CREATE EXTENSION pg_trgm; CREATE TABLE t(x text); CREATE INDEX ON t USING gin (x gin_trgm_ops);"
TEXT += "INSERT INTO t VALUES ('a')"
LEFT = "SELECT datname FROM pg_database WHERE datname ~ '^drill_[0-9]{10}_' UNION ALL SELECT rolname FROM pg_roles"
LEFT += " WHERE rolname ~ '^drill_(owner|reader)_'"


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRILL_DSN", portal_database.server.dsn("postgres"))
    monkeypatch.setattr(drill_database, "drill_server", drill_database.chosen_server)


def elsewhere(manifest: Manifest) -> Manifest:
    """As if it had come from another server than the tests' one."""
    return replace(manifest, source=replace(manifest.source, system_identifier="1"))


def left() -> list[str]:
    with psycopg.connect(portal_database.server.dsn("postgres")) as connection:
        return [str(name) for (name,) in connection.execute(LEFT)]


def test_a_run_is_proven_there_and_nothing_is_left(own: None, database, store: Store) -> None:
    before = left()
    manifest = elsewhere(exported(database(TEXT), store, PolicySpec("whole", "production", ("*",))))

    verdict = prove(manifest, store)

    assert (verdict.status, verdict.reasons, verdict.missing) == ("proven", [], ())
    assert left() == before


def test_the_server_of_the_source_is_refused(own: None, database, store: Store) -> None:
    before = left()
    manifest = exported(database(TEXT), store, PolicySpec("whole", "production", ("*",)))

    with pytest.raises(Refused, match="names the server that the run came from"):
        prove(manifest, store)

    assert left() == before


def test_a_server_that_is_down_proves_nothing(own: None, database, store: Store, monkeypatch) -> None:
    manifest = exported(database(TEXT), store, PolicySpec("whole", "production", ("*",)))
    monkeypatch.setenv("DRILL_DSN", "postgresql://x:secretpassword@127.0.0.1:9/x")

    with pytest.raises(ProviderError, match="DRILL_DSN") as raised:
        prove(manifest, store)

    assert "secretpassword" not in raised.value.message


def test_what_a_killed_drill_left_goes_after_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    server = OwnServer(portal_database.server.dsn("postgres"))
    monkeypatch.setattr(own_server, "time", SimpleNamespace(time=lambda: 1_000_000))
    server.create_database("old")
    monkeypatch.setattr(own_server, "time", SimpleNamespace(time=lambda: 1_000_000 + 25 * 3600))
    server.create_database("young")

    server.sweep()

    there = left()
    old, young = server.names["old"], server.names["young"]
    assert (old in there, young in there) == (False, True)
    del server.names["old"]
    server.empty()
    assert young not in left()
