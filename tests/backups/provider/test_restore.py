"""Restores at Supabase through operations, on a stand-in that really restores; every refusal once, none repeated."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from backups.archive.manifest import Head
from backups.models import Run, named
from backups.provider import at_most_once, steps
from backups.provider import verify as comparing
from backups.provider.sync import sync
from backups.provider.target import Target
from ledger.models import Entry
from operations.engine import kinds
from operations.models import Environment
from tests.supabase_platform import REF, Platform
from tests.supabase_production import RESTORE, decide, export, newest_daily, next_second, stamp, writes


def test_a_daily_backup_is_put_back_although_the_answer_was_lost(
    act, production: Environment, platform: Platform, door: list[str]
) -> None:
    platform.control("POST", f"projects/{REF}/backup")
    sync(production, platform.client)
    kept = platform.scalar()
    platform.change("DELETE FROM experiments")
    platform.control("POST", "faults", {"match": RESTORE, "status": 502, "after": True, "empty": True})

    operation = act("backups.provider_restore", backup=newest_daily(), present="skip")

    assert (operation.status, operation.error) == ("succeeded", "")
    assert platform.scalar() == kept
    assert writes(platform) == ["restore"]
    assert door == ["on", "off"]
    assert "Looking it up" in operation.log


def test_a_restore_whose_answer_was_lost_and_that_nobody_sees_may_begin_yet(
    act, production: Environment, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It never arrived, which nobody here can know."""
    platform.control("POST", f"projects/{REF}/backup")
    sync(production, platform.client)
    monkeypatch.setattr(at_most_once, "SUPABASE", replace(at_most_once.SUPABASE, looks=2))
    platform.control("POST", "faults", {"match": RESTORE, "status": 502, "empty": True})

    operation = act("backups.provider_restore", backup=newest_daily(), present="skip")

    assert operation.status == "failed"
    assert "It may begin yet, so nothing is repeated: look at Supabase's dashboard" in operation.error
    assert writes(platform).count("restore") <= 1


def test_the_confirmation_tells_downtime_loss_and_what_comes_first(
    act, production: Environment, platform: Platform
) -> None:
    kind = kinds.get("backups.provider_pitr")
    at = next_second()
    decide(platform, 2)
    parameters = kind.clean(production, {"at": stamp(at)})

    text = "\n".join(line.text for line in kinds.all_consequences(kind, production, parameters))

    assert "goes back to" in text
    assert ": 2 decisions" in text
    assert "is down meanwhile" in text
    assert "No migration was applied from here since then" in text
    assert "Nothing was deployed since then" in text
    assert "(whole-database) and proven" in text
    assert kind.assess(production, parameters) == "destructive"


REFUSED = {
    400: "Supabase declined it",
    401: "wrong or expired (401)",
    402: "plan does not include it (402)",
    403: "closed to it (403)",
    404: "no longer has it (404)",
}


def test_a_refusal_of_the_call_leaves_everything_as_it_was(
    act, production: Environment, platform: Platform, door: list[str]
) -> None:
    rows, errors = platform.scalar(), {}
    for status in REFUSED:
        platform.control("DELETE", "faults")
        platform.control("POST", "faults", {"match": RESTORE, "status": status, "times": 9})
        errors[status] = act("backups.provider_restore", backup=newest_daily(), present="skip").error
    platform.control("DELETE", "faults")
    platform.control("PATCH", f"projects/{REF}", {"internal_endpoints": False})
    internal = act("backups.provider_restore", backup=newest_daily(), present="skip").error

    assert [why in errors[status] for status, why in REFUSED.items()] == [True] * len(REFUSED)
    assert all("not started and the project is as it was" in error for error in [*errors.values(), internal])
    assert "dashboard" in internal
    assert writes(platform) == ["restore"] * 6
    assert (door, platform.scalar()) == (["on", "off"] * 6, rows)


def test_a_rate_limit_is_waited_for_because_nothing_was_sent(act, production: Environment, platform: Platform) -> None:
    platform.control("POST", "faults", {"match": RESTORE, "status": 429, "times": 1})
    platform.control("POST", "faults", {"match": RESTORE, "status": 402, "times": 1})

    operation = act("backups.provider_restore", backup=newest_daily(), present="skip")

    assert "402" in operation.error
    assert "slow down" in operation.log
    assert writes(platform) == ["restore", "restore"]


def test_a_call_that_never_arrived_ends_without_a_second_one(
    act, production: Environment, platform: Platform, door: list[str], monkeypatch
) -> None:
    monkeypatch.setattr(at_most_once, "SUPABASE", replace(at_most_once.SUPABASE, looks=3))
    rows = platform.scalar()
    platform.control("POST", "faults", {"match": RESTORE, "status": 500, "times": 9})

    operation = act("backups.provider_restore", backup=newest_daily(), present="skip")

    assert operation.status == "failed"
    assert "nothing is repeated" in operation.error
    assert (writes(platform), door, platform.scalar()) == (["restore"], ["on", "off"], rows)


def test_a_restore_that_fails_at_supabase_says_what_we_hold(
    act, production: Environment, platform: Platform, door: list[str], monkeypatch
) -> None:
    platform.control("POST", "faults", {"match": RESTORE, "status": 201, "empty": True})
    monkeypatch.setattr(steps.restore_status, "_status", lambda api, ref: "RESTORE_FAILED")

    operation = act("backups.provider_restore", backup=newest_daily())

    assert operation.status == "failed"
    assert "RESTORE_FAILED" in operation.error
    assert f"our {named.name_of(operation.result['present'])}" in operation.error
    assert Run.objects.get(pk=operation.result["present"]).is_stored
    assert door == ["on", "off"]
    assert "backups.provider.not_restored" in Entry.objects.values_list("code", flat=True)


def test_a_result_that_lacks_what_we_hold_is_told(
    act, production: Environment, platform: Platform, monkeypatch
) -> None:
    held = export(act)
    whole = comparing.trusted_manifest(held, comparing.store_of(held))
    more = Head("no-such-chain", 3, 1, 3, "f" * 64)
    tables = tuple(replace(table, chains=(*table.chains, more)) if table.chains else table for table in whole.tables)
    monkeypatch.setattr(comparing, "trusted_manifest", lambda run, store: replace(whole, tables=tables))
    now = datetime.now(UTC) + timedelta(seconds=5)

    report = comparing.compare(SimpleNamespace(environment=production, operation=held.operation), Target(REF, now))

    assert report.run == held.pk
    assert [text.startswith("Chain no-such-chain") for text in report.problems] == [True]


def test_a_paused_project_is_refused_when_the_worker_looks(act, production: Environment, platform: Platform) -> None:
    platform.control("PATCH", f"projects/{REF}", {"status": "ACTIVE_UNHEALTHY"})

    operation = act("backups.provider_restore", backup=newest_daily())

    assert operation.status == "failed"
    assert "not ACTIVE_HEALTHY" in operation.error
    assert writes(platform) == []
