"""Retention on rows and objects: what is retired, what stops a deletion, what is left afterwards, and who may ask."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.utils import timezone

from backups.archive.manifest import manifest_key
from backups.archive.reader import runs
from backups.incidents import holds
from backups.incidents import service as incidents_service
from backups.models import Policy, Run
from backups.retention import kinds as retention_kinds
from backups.retention import purge as retention_purge
from backups.retention.facts import planned
from backups.retention.kinds import keep_retention
from backups.stores.orphans import sweep, sweep_default_store
from ledger.models import Entry
from operations.engine import request as engine_request
from operations.engine.run import run_operation
from operations.factors import devices
from operations.factors.step_up import StepUpNeeded
from operations.models import Heartbeat, Operation
from operations.models.ulid import new_ulid
from providers.errors import Refused
from providers.storage.base import Store, StoreError
from providers.storage.factory import open_store
from providers.storage.local import LocalStore
from tests.backups.retention.conftest import POOLS, stored
from tests.seaweed import ADMIN, SECRET_KEY
from tests.stepping import request
from tests.ticking import run_job

pytestmark = pytest.mark.django_db(transaction=True)


def keys(store: Store, run: Run) -> list[str]:
    return [item.key.split("/", 2)[2] for item in store.list(f"runs/{run.pk}/")]


def test_it_retires_what_no_generation_wants_and_deletes_nothing(act, policy, store, history) -> None:
    operation = act("backups.retire")

    retired = Run.objects.filter(retired_by="olga")
    assert operation.status == "succeeded", operation.error
    assert [run.pk for run in retired] == [history[3].pk]
    assert len(keys(store, history[3])) == 4
    assert Entry.objects.get(code="backups.runs.retired").payload["runs"] == [history[3].pk]


def test_it_deletes_the_segments_of_due_runs_and_keeps_all_evidence(act, policy, store, history) -> None:
    operation = act("backups.purge")

    gone = Run.objects.get(pk=history[4].pk)
    assert operation.status == "succeeded", operation.error
    assert sorted(operation.result["purged"]) == sorted(run.pk for run in history[4:])
    assert gone.purged_at
    assert gone.segments.count() == 2
    left = keys(store, gone)
    assert left[0] == "manifest.json"
    assert [key.split("-")[0] for key in left[1:]] == ["proof", "purged.json"]
    assert len(keys(store, history[3])) == 4
    assert {item.run: item.status for item in runs(store, None)}[gone.pk] == "purged"
    assert Entry.objects.filter(code="backups.run.purged").count() == 2
    assert sweep(store, timezone.now() + timedelta(days=90)) == []


def test_a_purged_run_is_verified_by_its_evidence_and_never_restored(act, history, store, capsys) -> None:
    act("backups.purge")
    out = StringIO()

    call_command("verify_run", history[4].pk, "--store", store.url, "--json", stdout=out)

    document = json.loads(out.getvalue())
    assert (document["status"], document["problems"]) == ("purged", [])
    assert f"data deleted by retention on {timezone.now():%Y-%m-%d}" in document["note"]
    with pytest.raises(Refused, match="deleted by retention"):
        act("backups.restore", run=history[4].pk, target="scratch")


def test_a_changed_byte_in_the_manifest_of_a_purged_run_is_refused(act, history, store) -> None:
    act("backups.purge")
    path = Path(store.url.removeprefix("file://")) / manifest_key(history[4].pk)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b'"rows":1', b'"rows":2', 1))

    with pytest.raises(SystemExit):
        call_command("verify_run", history[4].pk, stdout=StringIO())


def test_a_replaced_manifest_and_a_stolen_object_are_evidence_and_stay(act, history, store) -> None:
    path = Path(store.url.removeprefix("file://")) / manifest_key(history[4].pk)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b'"rows":1', b'"rows":2', 1))

    store.delete(f"runs/{history[5].pk}/1/000-a/0000000000-000.csv.zst")

    operation = act("backups.purge")

    assert operation.result["purged"] == []
    assert f"{history[4]} stays, it is evidence: The manifest" in operation.log
    assert f"{history[5]} stays, it is evidence: somebody else removed" in operation.log
    assert [len(keys(store, run)) for run in history[4:]] == [4, 3]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("stop", ["hold", "incident", "restore", "lock"])
def test_what_stands_against_it_after_the_plan_stops_the_deletion(act, history, store, monkeypatch, olga, stop) -> None:
    run = history[4]
    whole = retention_purge._reaper

    def meanwhile(url: str) -> Store:
        if stop == "hold":
            holds.place(run, "olga", "evidence")
        elif stop == "incident":
            incidents_service.raise_incident(
                "row_edited", run.policy.environment, run=run, subject="a", summary="1 row"
            )
        elif stop == "restore" and not Operation.objects.filter(kind="backups.restore").exists():
            values = {"run": run.pk, "target": "scratch"}
            request("backups.restore", by=olga, environment=run.policy.environment, parameters=values)
        return whole(url)

    monkeypatch.setattr(retention_purge, "_reaper", meanwhile)
    if stop == "lock":
        locked = timezone.now() + timedelta(days=3)
        monkeypatch.setattr(LocalStore, "retention_of", lambda self, key: locked if run.pk in key else None)

    operation = act("backups.purge")

    assert operation.status == "succeeded", operation.error
    assert operation.result["purged"] == [history[5].pk]
    assert len(keys(store, run)) == 4
    assert f"{run} stays" in operation.log


def test_a_worker_that_dies_between_two_deletions_is_resumed(policy, olga, history, store, monkeypatch) -> None:
    operation = request("backups.purge", by=olga, environment=policy.environment, parameters={"policy": policy.name})
    whole, deleted = LocalStore.delete, []

    def dying(self: LocalStore, key: str) -> None:
        if len(deleted) == 1:
            raise SystemExit
        deleted.append(key)
        whole(self, key)

    with monkeypatch.context() as patch:
        patch.setattr(LocalStore, "delete", dying)
        with pytest.raises(SystemExit):
            run_operation(operation.pk, "first", POOLS, end_process=lambda: None)
    half = Run.objects.get(pk__in=[run.pk for run in history[4:]], purging_at__isnull=False)
    with pytest.raises(Refused, match="already"):
        holds.place(half, "olga", "too late")
    Operation.objects.filter(pk=operation.pk).update(lease_until=None)

    run_operation(operation.pk, "second", POOLS, end_process=lambda: None)

    operation.refresh_from_db()
    assert operation.status == "succeeded", operation.error
    assert Run.objects.filter(purged_at__isnull=False).count() == 2
    assert [len(keys(store, run)) for run in history[4:]] == [3, 3]


@pytest.mark.parametrize("lost", [True, False])
def test_a_lost_answer_to_the_first_deletion_leaves_it_begun(act, history, monkeypatch, lost) -> None:
    def delete(self: LocalStore, key: str) -> None:
        raise StoreError("no answer" if lost else "AccessDenied", retryable=lost)

    monkeypatch.setattr(LocalStore, "delete", delete)

    operation = act("backups.purge")

    assert operation.status == ("running" if lost else "failed")
    assert Run.objects.filter(purging_at__isnull=False, purged_at=None).exists() is lost


def test_objects_that_vanished_make_a_run_count_no_more(act, history, store, policy, settings) -> None:
    for run in history[:2]:
        for key in ("1/000-a/0000000000-000.csv.zst",):
            store.delete(f"runs/{run.pk}/{key}")

    retire, purge = act("backups.retire"), act("backups.purge")

    assert not Run.objects.filter(retired_by="olga").exists()
    assert f"{history[0]} does not count" in retire.log
    assert purge.result.get("purged", []) == []
    assert [len(keys(store, run)) for run in history[2:]] == [4, 4, 4, 4]


def test_the_sweep_never_takes_a_stored_run_that_lost_its_manifest(history, store, tmp_path: Path) -> None:
    store.put_once("runs/STRANGER/1/000-a/left.csv.zst", b"half")
    for item in list(store.list("runs/")):
        os.utime(tmp_path / "store" / item.key, (0, 0))
        if item.key.endswith(".json"):
            store.delete(item.key)

    sweep_default_store()

    assert [len(keys(store, run)) for run in history] == [2] * 6
    assert not list(store.list("runs/STRANGER/"))


def test_a_clock_that_disagrees_retires_and_deletes_nothing(act, history, store, monkeypatch) -> None:
    from backups.retention import facts as retention_facts
    from backups.retention.model import Clock

    ahead = timezone.now() + timedelta(days=365)
    monkeypatch.setattr(retention_facts, "clock", lambda: Clock(ahead, ahead))

    for kind in ("backups.retire", "backups.purge"):
        operation = act(kind)
        assert operation.status == "failed"
        assert "365 days old: backups have stopped or a clock is wrong" in operation.error
    assert [len(keys(store, run)) for run in history] == [4] * 6


def test_a_retired_run_is_brought_back_and_left_alone(act, history, policy) -> None:
    operation = act("backups.unretire", run=history[4].pk)
    act("backups.retire")

    assert operation.status == "succeeded", operation.error
    assert Run.objects.get(pk=history[4].pk).retired_at is None
    with pytest.raises(Refused, match="no retired run"):
        act("backups.unretire", run=history[0].pk)


def test_a_bucket_without_a_reaper_keeps_everything_and_says_so(act, history, store, policy, settings) -> None:
    Run.objects.filter(pk=history[4].pk).update(store_url="s3://bucket/x?region=eu")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("backups.retention.facts.incomplete", lambda runs: frozenset())
        operation = act("backups.purge")

    assert operation.status == "succeeded", operation.error
    assert "Nothing is deleted until BACKUP_REAPER_AWS_ACCESS_KEY_ID" in operation.result["waiting"]
    assert not Run.objects.exclude(purging_at=None).exists()


def test_the_daily_duty_asks_once_as_system(history, policy) -> None:
    keep_retention()
    keep_retention()

    asked = Operation.objects.filter(kind__in=["backups.retire", "backups.purge"])
    assert sorted(asked.values_list("kind", "requested_by__username")) == [
        ("backups.purge", "system"),
        ("backups.retire", "system"),
    ]


def test_the_ticker_asks_for_retention_once_a_day(history, policy) -> None:
    asked = Operation.objects.filter(kind__in=["backups.retire", "backups.purge"])
    run_job("backups.retention")
    first = set(asked.values_list("pk", flat=True))
    asked.update(status="cancelled", ended_at=timezone.now())

    run_job("backups.retention")
    assert (len(first), set(asked.values_list("pk", flat=True))) == (2, first)
    Heartbeat.objects.filter(name="job:backups.retention").update(beat_at=timezone.now() - timedelta(days=1))
    run_job("backups.retention")
    assert asked.count() == 4


def test_a_policy_that_is_refused_does_not_stop_the_others(history, policy, monkeypatch) -> None:
    def refuse_retiring(kind: str, **given: object) -> Operation:
        if kind == "backups.retire":
            raise Refused("not now")
        return request(kind, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(retention_kinds, "request", refuse_retiring)

    keep_retention()

    assert (
        Operation.objects.filter(requested_by__username="system").values_list("kind", flat=True)[0] == "backups.purge"
    )


def test_whoever_may_not_is_refused(policy, history) -> None:
    stranger = User.objects.create_user("nobody")

    with pytest.raises(PermissionDenied):
        request("backups.purge", by=stranger, environment=policy.environment, parameters={"policy": policy.name})


@pytest.mark.parametrize("kind", ["backups.retire", "backups.purge"])
def test_a_person_who_asks_for_it_shows_a_second_factor(policy, olga, history, kind: str) -> None:
    with pytest.raises(StepUpNeeded):
        engine_request.request(kind, by=olga, environment=policy.environment, parameters={"policy": policy.name})

    assert not Operation.objects.filter(kind=kind).exists()


def test_an_unknown_policy_is_named(act) -> None:
    with pytest.raises(Refused, match=r"no policy 'x'; nothing was requested\. Known: audit-trail"):
        act("backups.retire", policy="x")


def test_the_shell_shows_the_plan_and_asks_for_it(policy, history, olga) -> None:
    out, codes = StringIO(), devices.new_recovery_codes(olga)[:2]
    shown = [word for code in codes for word in ("--code", code)]

    call_command("retention", "audit-trail", "--apply-request", *shown, "--as", "olga", "--json", stdout=out)

    document = json.loads(out.getvalue())
    assert document["retire"] == [history[3].pk]
    assert sorted(document["due"]) == sorted(run.pk for run in history[4:])
    assert Operation.objects.filter(pk__in=document["requested"], requested_by=olga).count() == 2


@pytest.mark.s3
def test_a_bucket_is_emptied_by_the_reapers_key_alone_and_never_against_its_lock(
    act, policy, settings, monkeypatch, s3_url: str
) -> None:
    monkeypatch.setenv("BACKUP_OBJECT_LOCK_DAYS", "3")
    locked_url = s3_url.replace("s3://backups/", "s3://locked/")
    old = {"retired_at": timezone.now() - timedelta(days=10)}
    made = []
    for url in (locked_url, s3_url):
        settings.BACKUP_STORE = url
        made += [stored(policy, open_store(url), days, settings) for days in (0.1, 1, 2)]
        made.append(stored(policy, open_store(url), 20, settings, **old))
    locked, plain = made[3], made[7]
    settings.BACKUP_REAPER_AWS_ACCESS_KEY_ID = ADMIN

    settings.BACKUP_REAPER_AWS_SECRET_ACCESS_KEY = "not-its-secret"
    refused = act("backups.purge")
    half, untouched = keys(open_store(s3_url), plain), Run.objects.get(pk=plain.pk)
    settings.BACKUP_REAPER_AWS_SECRET_ACCESS_KEY = SECRET_KEY
    done = act("backups.purge")

    assert refused.status == "failed"
    assert "The reaper's key is BACKUP_REAPER_AWS_ACCESS_KEY_ID" in refused.error
    assert (untouched.purging_at, len(half)) == (None, 4)
    assert done.status == "succeeded", done.error
    assert done.result["purged"] == [plain.pk]
    assert len(keys(open_store(s3_url), plain)) == 3
    assert "the store locks it until" in done.log
    assert len(keys(open_store(locked_url), locked)) == 4
    line = next(line for line in planned(policy).lines if line.run == locked.pk)
    assert line.verdict == "retained"


def test_restore_points_go_too_and_the_newest_stays(policy: Policy, store: Store, act, settings, admin_client) -> None:
    runs = []
    for days in (100, 200):
        name = f"before-{new_ulid().lower()}"
        made = Policy.objects.create(environment=policy.environment, name=name, tables=["a"], enabled=False)
        runs.append(stored(made, store, days, settings))
        Operation.objects.filter(pk=runs[-1].operation_id).update(ended_at=timezone.now() - timedelta(days=days))
    newest, older = runs

    results = [act("backups.retire", policy=run.policy.name).result["retired"] for run in runs]
    Run.objects.filter(pk=older.pk).update(retired_at=timezone.now() - timedelta(days=8))
    purged = act("backups.purge", policy=older.policy.name).result["purged"]

    page = admin_client.get(f"/admin/backups/policy/{newest.policy_id}/retention/").content.decode()

    assert (results, purged) == ([[], [older.pk]], [older.pk])
    assert "<dt>Restore point</dt> <dd>90 days</dd>" in " ".join(page.split())
    assert [line.reasons for line in planned(newest.policy).lines] == [("the newest restore point of its environment",)]
