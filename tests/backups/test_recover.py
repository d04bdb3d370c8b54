"""The portal's database is lost: its copy, the checkpoints beside it, and what `recover` brings back from a store."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pyrage import x25519

from backups.anchoring import checkpoints
from backups.archive.reader import inventory
from backups.archive.signatures import generate
from backups.models import Policy, Proof, Run, Segment
from backups.policies import portal
from backups.policies.scheduler import request_export
from backups.recovery import rebuild, recover
from backups.retention.facts import planned
from ledger.models import Checkpoint, Entry
from ledger.services import record, verify
from operations.engine.request import request
from operations.engine.run import run_operation
from operations.models import AccessToken, Environment, Operation
from operations.models.ulid import new_ulid
from providers.errors import Refused
from providers.storage.base import Store
from providers.storage.factory import open_store
from tests import portal_database, portal_template
from tests.ticking import run_job

pytestmark = pytest.mark.django_db(transaction=True)
POOLS = frozenset({"export", "prove"})


@pytest.fixture
def store(settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reused_drill: None) -> Store:
    """A store with keys; the portal's DATABASE_URL is the test database, a drill runs on the session's server."""
    identity = x25519.Identity.generate()
    settings.BACKUP_STORE = f"file://{tmp_path}/store"
    settings.BACKUP_SIGNING_KEY = generate()[0]
    settings.BACKUP_AGE_RECIPIENTS = [str(identity.to_public())]
    settings.BACKUP_AGE_IDENTITY = str(identity)
    monkeypatch.setenv("DATABASE_URL", portal_database.server.dsn(connection.settings_dict["NAME"]))
    return open_store(settings.BACKUP_STORE)


@contextmanager
def lost(monkeypatch: pytest.MonkeyPatch, migrated: bool = True) -> Iterator[None]:
    """Inside, the portal's database is a new one: as `migrate` leaves it, or without any table."""
    name, before = f"lost_{uuid4().hex[:12]}", connection.settings_dict["NAME"]
    connection.close()
    if migrated:
        assert portal_template.load(name)
    else:
        portal_database.server.create_database(name)
    try:
        with monkeypatch.context() as patch:
            patch.setitem(connection.settings_dict, "NAME", name)
            patch.setenv("DATABASE_URL", portal_database.server.dsn(name))
            yield
            connection.close()
    finally:
        connection.settings_dict["NAME"] = before
        portal_database.server.drop_database(name)


@pytest.fixture
def export() -> Callable[..., Operation]:
    def export(policy: Policy) -> Operation:
        operation = request_export(policy)
        run_operation(operation.pk, "test", POOLS, end_process=lambda: None)
        operation.refresh_from_db()
        assert operation.status == "succeeded", operation.error
        return operation

    return export


def entries() -> list[tuple]:
    return list(Entry.objects.order_by("sequence").values_list("sequence", "sha256", "data"))


def recovered(store: Store, *more: str) -> dict:
    out = StringIO()
    call_command("recover", "--store", store.url, "--json", *more, stdout=out)
    return json.loads(out.getvalue())


def test_the_portal_comes_back_from_its_copy_and_a_restore_can_be_made(store, export, monkeypatch, sampelit) -> None:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", sampelit["export"])
    ada = User.objects.create_user("ada", password="a password of ada", is_staff=True)
    AccessToken.objects.issue(ada, "laptop")
    production = Environment.objects.create(slug="production", name="P", kind="production", protected=True)
    audit = Policy.objects.create(environment=production, name="audit-trail", tables=["algorithm_audit_trail"])
    waiting = request("rehearsal.sensitive", by=_mighty(), environment=production, parameters={"key": "k"})
    first = export(audit).result["run"]
    copy = export(portal.ensure()).result["run"]
    kept = entries()
    later = export(audit).result["run"]
    checkpoints.write()
    size = len(entries())

    with lost(monkeypatch):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(recover, "restore", _interrupted)
            recovered(store)
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(recover, "_complete", _interrupted)
            recovered(store)
        done = recovered(store)
        call_command("migrate", verbosity=0, check_unapplied=True)

        back = [tuple(entry) for entry in entries()]
        assert (done["run"], done["valid"], done["missing"]) == (copy, True, [])
        assert back[: done["entries"]] == kept[: done["entries"]]
        assert done["lost_entries"] == size - done["entries"] > 0
        assert sorted(done["added"]) == sorted([copy, later])
        assert set(Run.objects.values_list("pk", "status")) == {(pk, "proven") for pk in (first, copy, later)}
        assert Segment.objects.filter(run=later).exists()
        assert Proof.objects.filter(run=later, status="proven").exists()
        assert User.objects.get(username="ada").check_password("a password of ada")
        assert not AccessToken.objects.filter(revoked_at=None).exists()
        assert Operation.objects.get(pk=waiting.pk).status == "expired"
        accepted = Policy.objects.exclude(identity_accepted_at=None).values_list("environment__slug", flat=True)
        assert set(accepted) == {"portal"}
        assert verify().valid
        with pytest.raises(CommandError, match="not empty"):
            recovered(store)
        again = request("backups.verify", by=_mighty(), environment=audit.environment, parameters={"run": later})
        run_operation(again.pk, "test", POOLS, end_process=lambda: None)
        assert Operation.objects.get(pk=again.pk).status == "succeeded"


def _interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def _mighty() -> User:
    return User.objects.get_or_create(username="root", defaults={"is_superuser": True, "is_staff": True})[0]


def test_without_a_copy_policies_and_runs_are_rebuilt_and_the_loss_is_said(
    store, export, monkeypatch, sampelit
) -> None:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", sampelit["export"])
    production = Environment.objects.create(slug="production", name="P", kind="production", protected=True)
    policy = Policy.objects.create(environment=production, name="decisions", tables=["algorithm_audit_trail"])
    run = export(policy).result["run"]
    checkpoints.write()
    store.put_once(f"runs/{new_ulid()}/purged.json", b"a thief's")
    store.put_once(f"runs/{run}/purged.json", b"a thief's")
    size = len(entries())

    with lost(monkeypatch):
        out = StringIO()
        call_command("recover", "--store", store.url, stdout=out)

        assert "People, approvals" in out.getvalue()
        assert f"MISSING: at least {size} ledger entries" in out.getvalue()
        assert Run.objects.get(pk=run).status == "proven"
        assert "brought back" in planned(Policy.objects.get(name="decisions")).lines[0].reasons[-1]
        assert Policy.objects.get(name="decisions").tables == ["public.algorithm_audit_trail"]
        assert Operation.objects.get(backup_runs=run).status == "succeeded"
        assert verify().valid
        store.delete(f"runs/{run}/manifest.json")
        assert rebuild.mark_purged(store, inventory(store)) == 0


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("empty store", "holds no runs"),
        ("strangers", "tables of somebody else (leads)"),
        ("another schema", "tables of somebody else (auth.users)"),
        ("no key", "BACKUP_SIGNING_KEY"),
        ("no keys at all", "no signature could be checked"),
    ],
)
def test_it_refuses_before_the_first_change(store, monkeypatch, settings, case, told) -> None:
    if case == "no key":
        from backups.archive import keys as archive_keys_module

        settings.BACKUP_PUBLIC_KEYS = [archive_keys_module.public_text(archive_keys_module.signer().verifier)]
        settings.BACKUP_SIGNING_KEY = ""
    if case == "no keys at all":
        settings.BACKUP_SIGNING_KEY = ""
    with lost(monkeypatch, migrated=False):
        if case == "strangers":
            with connection.cursor() as cursor:
                cursor.execute("CREATE TABLE leads (id int)")
        if case == "another schema":
            with connection.cursor() as cursor:
                cursor.execute("CREATE SCHEMA auth CREATE TABLE users (id int)")
        with pytest.raises(CommandError) as refusal:
            recovered(store)
        assert connection.introspection.table_names() == (["leads"] if case == "strangers" else [])

    assert told in str(refusal.value)


def test_the_portal_is_never_copied_in_clear(store, settings) -> None:
    settings.BACKUP_AGE_RECIPIENTS = []
    policy = portal.ensure()

    with pytest.raises(Refused, match="password hashes"):
        request_export(policy)


def test_the_first_copy_of_a_new_portal_is_asked_for_once(store) -> None:
    portal.keep()
    portal.keep()
    assert not Operation.objects.exists()

    Policy.objects.update(created_at=timezone.now() - timedelta(hours=1))
    portal.keep()
    portal.keep()

    assert Operation.objects.get().requested_by.username == "system"


def test_its_copy_goes_nowhere_but_into_an_empty_database(store, export, monkeypatch, settings) -> None:
    run = export(portal.ensure()).result["run"]
    environment = Environment.objects.get(slug="portal")

    for target in ("live", "schema:beside", "scratch", "compare", "database:OPS_RESTORE_AWAY_DSN"):
        with pytest.raises(Refused, match="sampelit-ops recover"):
            request("backups.restore", by=_mighty(), environment=environment, parameters={"run": run, "target": target})
    rows = dict(Segment.objects.filter(run=run).values_list("table", "rows"))
    assert "public.django_session" not in rows
    assert rows["public.ledger_entry"] > 0

    path = Path(store.url.removeprefix("file://")) / Segment.objects.get(run=run, table="public.auth_user").key
    whole = path.read_bytes()
    path.chmod(0o600)
    with lost(monkeypatch):
        path.write_bytes(whole[:-1])
        with pytest.raises(CommandError, match="is damaged; nothing was written"):
            recovered(store)
        path.write_bytes(whole)
        settings.BACKUP_AGE_IDENTITY = ""
        with pytest.raises(CommandError, match="no identity is configured"):
            recovered(store)
        assert "ledger_entry" in connection.introspection.table_names()


def test_a_ledger_that_was_cut_back_no_longer_fits_the_stores_checkpoint(store) -> None:
    for number in range(4):
        record("test.thing", actor="ada", subject=str(number))
    checkpoints.write()
    assert verify().valid

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_entry DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE ledger_head DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE ledger_checkpoint DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM ledger_entry WHERE sequence > 2; DELETE FROM ledger_checkpoint")
        cursor.execute(
            "UPDATE ledger_head SET sequence = 2, sha256 = (SELECT sha256 FROM ledger_entry WHERE sequence = 2)"
        )
        for table in ("entry", "head", "checkpoint"):
            cursor.execute(f"ALTER TABLE ledger_{table} ENABLE TRIGGER USER")
            cursor.execute(f"ALTER TABLE ledger_{table} DISABLE TRIGGER ledger_{table}_no_truncate")

    problems = verify().problems
    assert [problem.sequence for problem in problems] == [4]
    assert "the store's checkpoint" in problems[0].problem


def test_the_ticker_writes_checkpoints_into_the_store(store) -> None:
    record("test.thing", actor="ada")

    run_job("backups.checkpoints")

    assert [mark.size for mark in checkpoints.marks(store, None)] == [1]


def test_a_checkpoint_is_written_once_an_hour_by_whoever_holds_the_key(store, settings) -> None:
    record("test.thing", actor="ada")
    checkpoints.keep()
    record("test.thing", actor="ada")
    checkpoints.keep()
    assert [mark.size for mark in checkpoints.marks(store, None)] == [1]

    later = timezone.now() - timedelta(hours=2)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_checkpoint DISABLE TRIGGER ledger_checkpoint_no_update_delete")
        cursor.execute("UPDATE ledger_checkpoint SET created_at = %s", [later])
        cursor.execute("ALTER TABLE ledger_checkpoint ENABLE TRIGGER ledger_checkpoint_no_update_delete")
    from backups.archive import keys

    settings.BACKUP_PUBLIC_KEYS, key = [keys.public_text(keys.signer().verifier)], settings.BACKUP_SIGNING_KEY
    settings.BACKUP_SIGNING_KEY = ""
    checkpoints.keep()
    assert Checkpoint.objects.count() == 1
    settings.BACKUP_SIGNING_KEY = key
    checkpoints.keep()
    assert [mark.size for mark in checkpoints.marks(store, keys.verifier())] == [2, 1]


def test_an_edited_checkpoint_is_no_anchor_and_is_told(store) -> None:
    from backups.archive import keys as archive_keys

    record("test.thing", actor="ada")
    key = checkpoints.write()
    path = Path(store.url.removeprefix("file://")) / key
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b'"size":1', b'"size":9'))

    assert checkpoints.marks(store, archive_keys.verifier()) == []
    assert checkpoints.rejected(store, archive_keys.verifier()) == [key]
    assert os.environ["DATABASE_URL"]
