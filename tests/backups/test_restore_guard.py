"""No restore writes twice or late: the lock on the target, paused workers, a lease lost at the last moment."""

from __future__ import annotations

import sys
import threading
import time
from uuid import uuid4

import psycopg
import pytest

from backups.archive.manifest import Manifest
from backups.models import Run
from backups.progress import SILENT, Watch
from backups.restore import in_place
from backups.restore import steps as restore_steps
from backups.restore.into_empty import Target, restore
from backups.restore.session import writing
from operations.engine.claim import LeaseLost
from providers import postgres
from providers.errors import ProviderError
from providers.storage.base import Store
from tests import portal_database
from tests.backups.restoring import rows, spoil

pytestmark = pytest.mark.django_db(transaction=True)
HOLDERS = (
    "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
    " WHERE l.locktype = 'advisory' AND datname = current_database()"
)


@pytest.fixture
def short_lease(settings) -> float:
    """What the server allows a restore to be silent is 0.8 of this."""
    settings.OPS_LEASE_SECONDS = 0.7
    return settings.OPS_LEASE_SECONDS


def tables_in(dsn: str) -> int:
    [(count,)] = rows(dsn, "SELECT count(*) FROM pg_tables WHERE tablename = 'algorithm_audit_trail'")
    return count


class Pausing:
    """A check that blocks once, as a stopped process would, when `when` says so."""

    def __init__(self, seconds: float, when) -> None:
        self.seconds, self.when, self.paused = seconds, when, 0

    def __call__(self) -> None:
        if not self.paused and self.when():
            self.paused += 1
            time.sleep(self.seconds)


@pytest.mark.parametrize("moment", ["first statement", "segments", "last"])
def test_a_restore_paused_longer_than_its_lease_does_not_commit(
    manifest: Manifest, store: Store, empty_database: str, short_lease: float, moment: str
) -> None:
    calls = counted_checks(manifest, store)
    at = {"first statement": len(manifest.segments) + 1, "segments": calls // 2 + 2, "last": 0}[moment]
    seen = [0]

    def when() -> bool:
        """The last is the one before COMMIT, by who asks: statements that take long ask in between."""
        seen[0] += 1
        return seen[0] == at or (not at and sys._getframe(2).f_code.co_name == "_restore_all")

    check = Pausing(short_lease * 2, when)
    with pytest.raises(ProviderError, match="rolled back") as caught:
        restore(manifest, store, (), Target(empty_database), Watch(check=check))

    assert check.paused == 1
    assert tables_in(empty_database) == 0
    assert moment != "last" or caught.value.retryable


def counted_checks(manifest: Manifest, store: Store) -> int:
    """How often an undisturbed restore checks."""
    seen, name = [0], f"target_{uuid4().hex[:12]}"

    def check() -> None:
        seen[0] += 1

    portal_database.server.create_database(name)
    restore(manifest, store, (), Target(portal_database.server.dsn(name)), Watch(check=check))
    portal_database.server.drop_database(name)
    return seen[0]


def test_the_last_thing_before_the_commit_is_the_check(manifest: Manifest, store: Store, empty_database: str) -> None:
    total, seen = counted_checks(manifest, store), [0]

    def check() -> None:
        seen[0] += 1
        if seen[0] == total:
            raise LeaseLost("taken over")

    with pytest.raises(LeaseLost):
        restore(manifest, store, (), Target(empty_database), Watch(check=check))

    assert tables_in(empty_database) == 0


def test_a_second_restore_into_the_same_database_waits_and_writes_nothing(
    manifest: Manifest, store: Store, empty_database: str, short_lease: float
) -> None:
    beating = threading.Event()

    def hold() -> None:
        with writing(empty_database, SILENT) as connection:
            held.set()
            while not beating.wait(0.1):
                connection.execute("SELECT 1")

    held, holder = threading.Event(), threading.Thread(target=hold)
    holder.start()
    try:
        assert held.wait(10)
        with pytest.raises(ProviderError, match="Nothing was written") as caught:
            restore(manifest, store, (), Target(empty_database))
    finally:
        beating.set()
        holder.join()
    assert caught.value.retryable
    assert tables_in(empty_database) == 0


def test_the_lock_is_held_from_the_first_look_to_the_end(manifest: Manifest, store: Store, empty_database: str) -> None:
    held: list[int] = []

    def progress(done: int, total: int | None = None, unit: str = "", note: str = "", **_: object) -> None:
        if unit == "bytes":
            held.append(rows(empty_database, HOLDERS)[0][0])

    restore(manifest, store, (), Target(empty_database), Watch(progress=progress))

    assert held
    assert set(held) == {1}
    assert rows(empty_database, HOLDERS) == [(0,)]


class SlowStore:
    """A store whose objects take longer than a lease to come."""

    def __init__(self, store: Store, seconds: float) -> None:
        self.store, self.seconds = store, seconds

    def get(self, key: str) -> bytes:
        time.sleep(self.seconds)
        return self.store.get(key)


def test_a_slow_download_is_no_idle_worker(
    manifest: Manifest, store: Store, empty_database: str, short_lease: float, monkeypatch
) -> None:
    monkeypatch.setattr("backups.restore.into_empty.check_objects", lambda *_: None)

    done = restore(manifest, SlowStore(store, short_lease * 1.5), (), Target(empty_database))  # type: ignore[arg-type]

    assert done.rows == manifest.rows


def test_live_tables_are_as_they_were_after_a_pause(earlier_run: Run, spoilt, settings) -> None:
    spoil(spoilt)
    settings.OPS_LEASE_SECONDS = 0.7
    store = restore_steps.store_of(earlier_run)
    manifest = restore_steps.trusted_manifest(earlier_run, store)
    brought_back = threading.Event()
    check = Pausing(1.4, brought_back.is_set)

    def progress(done: int, *_: object, **__: object) -> None:
        if done == manifest.rows:
            brought_back.set()

    with pytest.raises(ProviderError, match="which was rolled back") as caught:
        in_place.apply(manifest, store, (), spoilt["admin"], Watch(progress, check))

    assert check.paused == 1
    assert caught.value.retryable
    assert rows(spoilt["admin"], "SELECT count(*) FROM users WHERE email = 'new@example.com'") == [(1,)]


def test_live_tables_equal_the_run_after_an_undisturbed_restore(earlier_run: Run, spoilt) -> None:
    spoil(spoilt)
    store = restore_steps.store_of(earlier_run)
    manifest = restore_steps.trusted_manifest(earlier_run, store)

    done = in_place.apply(manifest, store, (), spoilt["admin"])

    assert done.removed >= 1
    assert rows(spoilt["admin"], "SELECT count(*) FROM users WHERE email = 'new@example.com'") == [(0,)]
    assert rows(spoilt["admin"], "SELECT count(*) FROM algorithm_audit_trail") == [(600,)]


def test_live_tables_are_as_they_were_when_the_lease_is_lost_at_the_last_moment(earlier_run: Run, spoilt) -> None:
    spoil(spoilt)
    store = restore_steps.store_of(earlier_run)
    manifest = restore_steps.trusted_manifest(earlier_run, store)
    left = [sum(len(table.segments) + 1 for table in manifest.tables)]

    def check() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise LeaseLost("taken over")

    with pytest.raises(LeaseLost):
        in_place.apply(manifest, store, (), spoilt["admin"], Watch(check=check))

    assert left == [-1]
    assert rows(spoilt["admin"], "SELECT count(*) FROM users WHERE email = 'new@example.com'") == [(1,)]


def test_a_scratch_database_that_an_older_attempt_uses_is_not_dropped(empty_database: str, settings) -> None:
    settings.OPS_LEASE_SECONDS = 60
    name = psycopg.conninfo.conninfo_to_dict(empty_database)["dbname"]
    with writing(empty_database, SILENT) as older:
        with psycopg.connect(postgres.beside(empty_database, "postgres"), autocommit=True) as connection:
            with pytest.raises(ProviderError, match="earlier attempt has not ended") as caught:
                postgres.fresh_database(connection, str(name))
        older.execute("SELECT 1")
    assert caught.value.retryable


def test_a_role_that_may_not_create_is_told_what_it_needs(
    manifest: Manifest, store: Store, empty_database: str, short_lease: float
) -> None:
    weak = empty_database.replace("//postgres:", "//sampelit_export:")

    with pytest.raises(ProviderError, match="GRANT CREATE"):
        restore(manifest, store, (), Target(weak))

    assert tables_in(empty_database) == 0
