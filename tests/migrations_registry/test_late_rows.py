"""Writes between a restore point and a destructive change: a restore brings back every value that was there."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from pyrage import x25519

from backups.archive import keys as archive_keys
from backups.archive import schema_proof
from backups.archive.late_rows import late_rows_of, late_rows_problems
from backups.archive.manifest import Manifest
from backups.archive.signed_json import ManifestError
from backups.restore.into_empty import Target, restore
from migrations_registry.apply.late_rows import locked, same_server
from migrations_registry.apply.late_rows_copy import store_late_rows
from providers import postgres
from providers.errors import Refused
from providers.postgres.migrate.session import Limits, begin
from providers.storage.base import Store
from providers.storage.factory import open_store
from providers.storage.local import LocalStore
from tests import portal_database, sampling
from tests.migrations_registry.late_rows_case import Case

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

RUNS = sampling.size("KEEPS")
SEED = sampling.SEED


@pytest.fixture
def keys(settings: Any) -> None:
    identity = x25519.Identity.generate()
    settings.BACKUP_AGE_RECIPIENTS, settings.BACKUP_AGE_IDENTITY = [str(identity.to_public())], str(identity)


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    name = f"keeping_{uuid4().hex[:12]}"
    portal_database.server.create_database(name)
    yield portal_database.server.dsn(name)
    portal_database.server.drop_database(name)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"file://{tmp_path}/store")


@pytest.mark.parametrize("seed", range(SEED, SEED + RUNS))
def test_nothing_slips_between(seed: int, dsn: str, store: Store, keys: None) -> None:
    case = Case(dsn, store, seed)
    with psycopg.connect(dsn) as slow:  # open before the snapshot, committed after it
        slow.execute(f"INSERT INTO {case.schema}.plain VALUES ('open at the snapshot')")
        manifest, known = case.copied()
    case.write()

    with case.connection.transaction():
        tables = locked(case.connection, case.what, known)
        stored = store_late_rows(case.late_rows_copy(manifest), tables, known)
        truth = case.truth(known)
        case.connection.execute(case.text)

    back = f"back_{seed}"
    restore(
        manifest,
        store,
        archive_keys.identities(),
        Target(dsn, back),
        late_rows=late_rows_of(store, manifest, archive_keys.verifier()),
    )
    for name, rows in truth.items():
        restored = case.rows(f"{back}.{name.partition('.')[2]}")
        assert not [row for row in rows if row not in restored], f"{case.text}: {stored} stored"
    case.close()


def test_what_was_not_written_is_not_kept(dsn: str, store: Store) -> None:
    case = Case(dsn, store, 1)
    manifest, known = case.copied()
    case.connection.execute(f"VACUUM (FREEZE) {case.schema}.parent")

    with case.connection.transaction():
        assert store_late_rows(case.late_rows_copy(manifest), locked(case.connection, case.what, known), known) == 0
    assert late_rows_of(store, manifest, None) == []
    case.close()


@pytest.fixture
def changed(dsn: str, store: Store) -> Iterator[tuple[Case, Manifest, dict[str, int]]]:
    """A restore point of `parent` (and what it takes along), and one row written after it."""
    case = Case(dsn, store, random.randrange(10**6, 10**9))
    case.text = f"TRUNCATE {case.schema}.parent CASCADE"
    manifest, known = case.copied()
    case.connection.execute(f"UPDATE {case.schema}.parent SET value = 'later' WHERE id = 1")
    yield case, manifest, known
    case.close()


def test_a_store_that_is_too_slow_gives_the_locks_back(changed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    case, manifest, known = changed
    answered = Event()
    monkeypatch.setattr(case.store, "put_once", lambda *_: answered.wait(30))
    with pytest.raises(Refused, match=r"store did not answer in time.*rolled back, nothing was changed"):
        with case.connection.transaction():
            store_late_rows(case.late_rows_copy(manifest, limit=2), locked(case.connection, case.what, known), known)
    answered.set()
    assert len(case.rows(f"{case.schema}.parent")) == 20


def test_a_table_swapped_after_the_copy_is_refused(changed: Any) -> None:
    case, _, known = changed
    case.connection.execute(f"CREATE TABLE {case.schema}.fresh (LIKE {case.schema}.parent INCLUDING ALL)")
    case.connection.execute(f"ALTER TABLE {case.schema}.child RENAME TO child_old")
    case.connection.execute(
        f"CREATE TABLE {case.schema}.child (id int PRIMARY KEY, parent int REFERENCES {case.schema}.parent)"
    )
    with pytest.raises(Refused, match="child is not what the restore point holds"), case.connection.transaction():
        locked(case.connection, case.what, known)


def test_rows_of_another_server_are_not_comparable(changed: Any) -> None:
    case, manifest, _ = changed
    here = postgres.facts(case.connection)
    same_server(here, manifest)
    for other in (replace(here, database="elsewhere"), replace(here, timeline=here.timeline + 1)):
        with pytest.raises(Refused, match="restored or failed over"):
            same_server(other, manifest)


def test_kept_rows_that_do_not_fit_lie_beside(changed: Any, dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case, manifest, known = changed
    monkeypatch.setattr(schema_proof, "archive_problems", lambda _: [])  # the table is made narrower on purpose
    with case.connection.transaction():
        store_late_rows(case.late_rows_copy(manifest), locked(case.connection, case.what, known), known)
    kept = late_rows_of(case.store, manifest, None)
    case.connection.execute(f"CREATE DOMAIN {case.schema}.early AS text CHECK (VALUE <> 'later')")
    statements = [
        replace(made, sql=made.sql.replace("value text", f"value {case.schema}.early")) for made in manifest.statements
    ]
    narrow = replace(manifest, statements=tuple(statements))
    back = f"{case.schema}_back"
    done = restore(narrow, case.store, (), Target(dsn, back), late_rows=kept)
    assert any("do not fit" in note and f"{back}.parent_kept_rows" in note for note in done.notes), done.notes
    assert case.rows(f"{back}.parent_kept_rows") == [(1, "code1", "later")]


def test_a_forged_document_is_rejected(changed: Any) -> None:
    case, manifest, known = changed
    with case.connection.transaction():
        store_late_rows(case.late_rows_copy(manifest), locked(case.connection, case.what, known), known)
    (kept,) = late_rows_of(case.store, manifest, None)
    assert isinstance(case.store, LocalStore)
    path = case.store.root / f"{kept.prefix}kept.json"
    path.write_bytes(path.read_bytes().replace(b'"rows":1', b'"rows":2'))
    with pytest.raises(ManifestError, match="edited or damaged"):
        late_rows_of(case.store, manifest, None)
    assert "edited or damaged" in late_rows_problems(case.store, manifest, None)[0]


def test_what_is_committed_while_the_lock_is_waited_for_is_kept(changed: Any) -> None:
    """A role whose transactions would see the past by default sees the present here."""
    case, manifest, known = changed
    case.connection.execute("SET default_transaction_isolation = 'repeatable read'")
    assert begin(case.connection, Limits(1000, 1000))
    with psycopg.connect(case.dsn, autocommit=True) as other:
        other.execute(f"UPDATE {case.schema}.parent SET value = 'later' WHERE id = 2")
    assert store_late_rows(case.late_rows_copy(manifest), locked(case.connection, case.what, known), known) == 2
    case.connection.execute("ROLLBACK")
