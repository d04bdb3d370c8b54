"""The export as an operation: claimed, copied, proven, settled; repeated deliveries change nothing."""

from __future__ import annotations

import psycopg
import pytest
from django.contrib.auth.models import User
from pyrage import x25519

from backups.models import Proof, Run, Segment
from ledger.models import Entry
from ledger.services import verify
from operations.engine.run import run_operation
from operations.models import Notification, Operation
from providers.errors import Refused
from providers.postgres import preflight
from providers.storage.base import Retained, StoreError
from providers.storage.factory import open_store
from providers.storage.local import LocalStore
from tests.backups.conftest import ended
from tests.stepping import stepping

pytestmark = pytest.mark.django_db(transaction=True)
ALL_POOLS = frozenset({"export", "prove"})


def test_an_export_ends_proven(ask) -> None:
    operation = ended(ask())

    run = Run.objects.get(pk=operation.result["run"])
    assert (operation.status, operation.error) == ("succeeded", "")
    assert run.status == "proven"
    assert run.is_stored
    assert run.rows == sum(Segment.objects.filter(run=run).values_list("rows", flat=True)) > 600
    assert Proof.objects.get(run=run).status == "proven"


def test_the_ledger_tells_stored_then_proven_and_the_manifest_anchors_it(ask) -> None:
    ended(ask())
    ended(ask())

    codes = [code for code in Entry.objects.order_by("sequence").values_list("code", flat=True) if "export" in code]
    report = verify()

    assert codes == ["backups.export.stored", "backups.export.proven"] * 2
    assert report.valid
    assert report.anchors >= 1


def test_every_run_names_the_manifest_before_it(ask) -> None:
    from backups.archive.reader import load
    from providers.storage.factory import open_store

    first = Run.objects.get(pk=ended(ask()).result["run"])
    second = Run.objects.get(pk=ended(ask()).result["run"])

    assert load(open_store(second.store_url), second.pk, None).previous_sha256 == first.manifest_sha256


def test_the_whole_database_is_proven(ask) -> None:
    operation = ended(ask("whole-database"))

    assert operation.error == ""
    assert "public.leads" in Run.objects.get(operation=operation).tables


def test_a_worker_that_dies_after_the_manifest_resumes_without_a_second_copy(ask, monkeypatch) -> None:
    from backups.export import steps

    operation = ask()
    copied = []

    def dying(run, manifest):
        copied.append(manifest.fence)
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(steps, "segment_rows", dying)
        with pytest.raises(SystemExit):
            run_operation(operation.pk, "first", ALL_POOLS, end_process=lambda: None)
    Operation.objects.filter(pk=operation.pk).update(lease_until=None)

    ended(operation)

    run = Run.objects.get(operation=operation)
    assert (operation.status, run.status, run.fence) == ("succeeded", "proven", copied[0])
    assert operation.fence > run.fence
    assert Run.objects.count() == 1


def test_a_store_that_refuses_ends_failed_and_says_why(ask, monkeypatch) -> None:
    def refuse(self, key, data):
        raise StoreError(f"The store refused to store {key} (AccessDenied). Nothing was overwritten.")

    monkeypatch.setattr(LocalStore, "put_once", refuse)

    operation = ended(ask())

    run = Run.objects.get(operation=operation)
    assert operation.status == "failed"
    assert "AccessDenied" in operation.error
    assert (run.status, run.is_stored) == ("failed", False)
    assert "AccessDenied" in run.reason


def test_a_damaged_object_ends_failed_with_the_reason_on_the_run(ask, monkeypatch) -> None:
    whole = LocalStore.get
    monkeypatch.setattr(
        LocalStore, "get", lambda self, key: whole(self, key)[:-1] if key.endswith(".zst") else whole(self, key)
    )

    operation = ended(ask())

    run = Run.objects.get(operation=operation)
    assert operation.status == "failed"
    assert run.status == "failed"
    assert "bytes, the manifest says" in run.reason


def test_a_broken_chain_is_suspect_and_never_green(ask, sampelit_copy, monkeypatch) -> None:
    with psycopg.connect(sampelit_copy["admin"]) as connection:
        connection.execute("UPDATE algorithm_audit_trail SET segment_key = 'other' WHERE sequence_number = 2")
    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", sampelit_copy["export"])

    operation = ended(ask())

    assert operation.status == "failed"
    assert Run.objects.get(operation=operation).status == "suspect"


def test_a_database_that_is_down_fails_after_its_attempts(ask, monkeypatch, settings) -> None:
    settings.OPS_MAX_ATTEMPTS = 1
    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", "postgresql://a:verysecret@127.0.0.1:9/x")

    operation = ended(ask())

    assert operation.status == "failed"
    assert "did not accept the connection" in operation.error
    assert "verysecret" not in operation.error + operation.log + Run.objects.get(operation=operation).reason


def test_a_missing_variable_is_named(ask, monkeypatch) -> None:
    monkeypatch.delenv("SAMPELIT_PRODUCTION_EXPORT_DSN")

    assert "SAMPELIT_PRODUCTION_EXPORT_DSN is not set" in ended(ask()).error


def test_an_unknown_policy_is_refused(ask) -> None:
    with pytest.raises(Refused, match=r"no policy 'nonsense'.*Known: audit-trail, whole-database"):
        ask("nonsense")


def test_another_database_is_refused_until_a_person_accepts_it(ask) -> None:
    from backups.policies import defaults

    first = Run.objects.select_related("policy").get(pk=ended(ask()).result["run"])
    Run.objects.update(system_identifier="123")
    refused = ended(ask())
    stepping(defaults.accept_database)(first.policy, by=User.objects.get(username="olga"))
    accepted = ended(ask())

    assert refused.status == "failed"
    assert "another database than the last run's" in refused.error
    assert (accepted.status, accepted.error) == ("succeeded", "")
    assert Entry.objects.filter(code="backups.policy.database_accepted").count() == 1


def test_an_older_timeline_is_refused_and_a_newer_one_is_told(ask, monkeypatch) -> None:
    first = ended(ask())
    now = Run.objects.get(pk=first.result["run"]).timeline
    Run.objects.update(timeline=now + 1)
    older = ended(ask())
    Run.objects.filter(status="proven").update(timeline=now)
    identity = preflight._identity
    monkeypatch.setattr(preflight, "_identity", lambda connection: (identity(connection)[0], now + 1))
    newer = ended(ask())

    assert "this is an older copy" in older.error
    assert (newer.status, newer.error) == ("succeeded", "")
    run = Run.objects.get(pk=newer.result["run"])
    assert "failed over or was recovered to a point in time" in run.warnings[0]
    assert Notification.objects.filter(subject__contains="changed its timeline").count() == 1


def test_one_recipient_is_refused_with_the_fix_unless_it_is_the_demo(ask, settings) -> None:
    settings.BACKUP_AGE_RECIPIENTS = [str(x25519.Identity.generate().to_public())]
    settings.DEMO = False

    with pytest.raises(Refused, match=r"to one key only.*keys create age"):
        ask()


def test_a_run_in_a_locked_bucket_says_until_when_it_is_kept(ask, settings, s3_url: str, monkeypatch) -> None:
    settings.BACKUP_STORE = s3_url.replace("s3://backups/", "s3://locked/")
    monkeypatch.setenv("BACKUP_OBJECT_LOCK_DAYS", "2")

    run = Run.objects.get(pk=ended(ask()).result["run"])

    assert (run.status, run.lock_mode, run.warnings) == ("proven", "GOVERNANCE", [])
    assert run.retained_until is not None
    assert 1 <= (run.retained_until - run.stored_at).days <= 2
    with pytest.raises(Retained):
        open_store(run.store_url).delete(run.segments.first().key)
