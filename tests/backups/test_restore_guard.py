"""No restore writes twice, late or into a database of ours: locks, paused workers, forbidden targets, failed runs."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection as portal

from backups import forbidden, live, restoring, targets
from backups.manifest import Manifest
from backups.models import Run
from backups.progress import SILENT, Watch
from backups.restore import Target, restore
from backups.writing import writing
from operations.engine.claim import LeaseLost
from operations.engine.request import request
from operations.engine.run import run_operation
from operations.models import Environment, Operation
from providers import postgres
from providers.errors import ProviderError, Refused
from providers.storage import Store
from tests import portal_database
from tests.backups.test_operation import ask, ended, production, reused_drill  # noqa: F401
from tests.backups.test_restore import POOLS, maintenance, rows, run, spoil, spoilt  # noqa: F401
from tests.backups.test_restore import restore as restore_operation  # noqa: F401

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
    at = {"first statement": len(manifest.segments) + 1, "segments": calls // 2 + 2, "last": calls}[moment]
    seen = [0]

    def when() -> bool:
        seen[0] += 1
        return seen[0] == at

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
        if unit == "rows":
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
    monkeypatch.setattr("backups.restore.check_objects", lambda *_: None)

    done = restore(manifest, SlowStore(store, short_lease * 1.5), (), Target(empty_database))  # type: ignore[arg-type]

    assert done.rows == manifest.rows


def test_live_tables_are_as_they_were_after_a_pause(run: Run, spoilt, settings) -> None:  # noqa: F811
    spoil(spoilt)
    settings.OPS_LEASE_SECONDS = 0.7
    manifest, store = restoring.trusted_manifest(run, restoring.store_of(run)), restoring.store_of(run)
    brought_back = threading.Event()
    check = Pausing(1.4, brought_back.is_set)

    def progress(done: int, *_: object, **__: object) -> None:
        if done == manifest.rows:
            brought_back.set()

    with pytest.raises(ProviderError, match="which was rolled back") as caught:
        live.apply(manifest, store, (), spoilt["admin"], Watch(progress, check))

    assert check.paused == 1
    assert caught.value.retryable
    assert rows(spoilt["admin"], "SELECT count(*) FROM users WHERE email = 'new@example.com'") == [(1,)]


def test_live_tables_are_as_they_were_when_the_lease_is_lost_at_the_last_moment(run: Run, spoilt) -> None:  # noqa: F811
    spoil(spoilt)
    manifest, store = restoring.trusted_manifest(run, restoring.store_of(run)), restoring.store_of(run)
    left = [len(manifest.segments) + len(manifest.tables)]

    def check() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise LeaseLost("taken over")

    with pytest.raises(LeaseLost):
        live.apply(manifest, store, (), spoilt["admin"], Watch(check=check))

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


@pytest.mark.parametrize(
    "name",
    [
        "DATABASE_URL",
        "SAMPELIT_PRODUCTION_MIGRATION_DSN",
        "SAMPELIT_STAGING_RESTORE_DSN",
        "OPS_TOKEN",
        "OPS_RESTORE_DSN",
        "MY_OPS_RESTORE_X_DSN",
        "OPS_RESTORE_X_DSN_OLD",
    ],
)
def test_only_variables_made_for_restores_are_targets(run: Run, restore_operation, name: str) -> None:  # noqa: F811
    with pytest.raises(Refused, match=r"no other is allowed.*Nothing was requested"):
        restore_operation(run, f"database:{name}")


@pytest.mark.parametrize("purpose", ["export", "migration", "restore"])
def test_an_environments_own_variable_is_refused_whatever_its_name(
    run: Run,  # noqa: F811
    restore_operation,  # noqa: F811
    purpose: str,
) -> None:
    Environment.objects.create(
        slug="staging", name="S", kind="staging", **{f"{purpose}_dsn_env": "OPS_RESTORE_STAGING_DSN"}
    )

    with pytest.raises(Refused, match="leads to staging itself"):
        restore_operation(run, "database:OPS_RESTORE_STAGING_DSN")


@pytest.fixture
def asked(production: Environment) -> Callable[[Run, str], Operation]:  # noqa: F811
    """Only requests; nothing runs yet."""
    user = User.objects.create_user("ruth", password="long enough password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="request_restore"))
    Environment.objects.filter(pk=production.pk).update(protected=False)
    production.refresh_from_db()
    by = User.objects.get(pk=user.pk)

    def asked(run: Run, target: str) -> Operation:  # noqa: F811
        values = {"run": run.pk, "target": target}
        return request("backups.restore", by=by, environment=production, parameters=values)

    return asked


def test_the_step_refuses_a_variable_that_an_environment_took_since(
    run: Run,  # noqa: F811
    asked,
    empty_database: str,
    monkeypatch,
) -> None:
    monkeypatch.setenv("OPS_RESTORE_LATER_DSN", empty_database)
    operation = asked(run, "database:OPS_RESTORE_LATER_DSN")
    Environment.objects.create(slug="late", name="L", kind="staging", migration_dsn_env="OPS_RESTORE_LATER_DSN")

    run_operation(operation.pk, "test", POOLS, end_process=lambda: None)

    operation.refresh_from_db()
    assert operation.status == "failed"
    assert "leads to late itself" in operation.error
    assert tables_in(empty_database) == 0


def test_the_worker_refuses_a_target_that_was_stored_before_the_rule(run: Run, asked, monkeypatch) -> None:  # noqa: F811
    with monkeypatch.context() as patch:
        patch.setattr(targets, "_VARIABLE", re.compile("[A-Z_]+"))
        operation = asked(run, "database:SOME_MIGRATION_DSN")

    run_operation(operation.pk, "test", POOLS, end_process=lambda: None)

    operation.refresh_from_db()
    assert operation.status == "expired"
    assert "no other is allowed" in operation.error


def portal_dsn() -> str:
    given = portal.settings_dict
    return psycopg.conninfo.make_conninfo(
        host=given["HOST"],
        port=given["PORT"],
        user=given["USER"],
        password=given["PASSWORD"] or None,
        dbname=given["NAME"],
    )


def test_the_portals_own_database_is_refused_by_its_identity(run: Run, restore_operation, monkeypatch) -> None:  # noqa: F811
    monkeypatch.setenv("OPS_RESTORE_ALIAS_DSN", portal_dsn())

    operation = restore_operation(run, "database:OPS_RESTORE_ALIAS_DSN")

    assert operation.status == "failed"
    assert "is the database of the portal" in operation.error
    assert tables_in(portal_dsn()) == 0


@pytest.mark.parametrize("purpose", ["EXPORT", "MIGRATION", "RESTORE"])
def test_an_environments_database_is_refused_by_its_identity(
    run: Run,  # noqa: F811
    restore_operation,  # noqa: F811
    empty_database: str,
    monkeypatch,
    purpose: str,
) -> None:
    Environment.objects.create(slug="staging", name="S", kind="staging")
    monkeypatch.setenv(f"SAMPELIT_STAGING_{purpose}_DSN", empty_database)
    monkeypatch.setenv("OPS_RESTORE_ALIAS_DSN", empty_database.replace("127.0.0.1", "localhost"))

    operation = restore_operation(run, "database:OPS_RESTORE_ALIAS_DSN")

    assert operation.status == "failed"
    assert "is the database of staging" in operation.error
    assert tables_in(empty_database) == 0


def test_an_environment_that_does_not_answer_is_known_by_its_runs(
    run: Run,  # noqa: F811
    empty_database: str,
    monkeypatch,
) -> None:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", "postgresql://a@127.0.0.1:9/x")
    monkeypatch.delenv("SAMPELIT_PRODUCTION_RESTORE_DSN")

    with pytest.raises(Refused, match="cannot be told apart"):
        forbidden.refuse_database(empty_database, SILENT)

    Run.objects.update(system_identifier="another server")
    forbidden.refuse_database(empty_database, SILENT)


def test_two_databases_whose_identity_nobody_may_read_are_told_apart_by_name_only(empty_database: str) -> None:
    with postgres.connect(empty_database) as connection:
        found = postgres.facts(connection)
    hidden = replace(found, system_identifier="")

    assert forbidden._same(found, hidden)
    assert not forbidden._same(found, replace(hidden, database="other"))
    assert not forbidden._same(found, replace(found, system_identifier="1"))


@pytest.fixture
def verify(production: Environment) -> Callable[[Run], Operation]:  # noqa: F811
    user = User.objects.create_user("audrey", password="long enough password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="verify_run"))
    by = User.objects.get(pk=user.pk)
    return lambda one: request("backups.verify", by=by, environment=production, parameters={"run": one.pk})


def fail(run: Run) -> None:  # noqa: F811
    Run.objects.advance(run.pk, "proven", "failed", reason="An object is missing.")


def test_a_failed_run_is_not_verified_again(run: Run, verify) -> None:  # noqa: F811
    fail(run)

    with pytest.raises(Refused, match=r"failed: An object is missing\. A failed run is never proven later"):
        verify(run)


def test_a_run_that_failed_since_the_request_ends_refused_and_stays_failed(run: Run, verify) -> None:  # noqa: F811
    operation: Operation = verify(run)
    fail(run)

    run_operation(operation.pk, "test", POOLS, end_process=lambda: None)

    operation.refresh_from_db()
    run.refresh_from_db()
    assert (operation.status, run.status) == ("failed", "failed")
    assert "never proven later" in operation.error
