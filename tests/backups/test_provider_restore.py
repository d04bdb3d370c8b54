"""Restores at Supabase through operations, on a stand-in that really restores; every refusal once, none repeated."""

# ruff: noqa: F401, F811 - fixtures are imported by name
from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from backups.manifest import Head
from backups.models import ProviderBackup, Run
from backups.provider import call, steps
from backups.provider import verify as comparing
from backups.provider.sync import sync
from backups.provider.target import Target
from ledger.models import Entry
from operations.engine import kinds
from operations.models import Environment
from providers.errors import Refused
from tests.backups.provider_room import act, decide, door, export, next_second, operator, production
from tests.sandbox.conftest import REF, Platform, platform, platform_server

RESTORE = "POST .*/backups/restore$"
WRITES = ("POST /v1/projects/" + REF,)


def writes(platform: Platform) -> list[str]:
    return [one.rsplit("/", 1)[-1] for one in platform.api.world.calls if one.startswith(WRITES)]


def newest_daily() -> str:
    return ProviderBackup.objects.restorable().filter(kind="daily").first().external_id


def stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


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


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"at": "yesterday"}, "is no time"),
        ({"at": "2026-01-01T00:00:00"}, "names no time zone"),
        ({"at": "2020-01-01T00:00:00Z"}, "outside the window"),
        ({"at": "2120-01-01T00:00:00Z"}, "outside the window"),
        ({"at": "2120-01-01T00:00:00Z", "present": "no"}, "outside the window|present is empty or skip"),
    ],
)
def test_a_second_that_cannot_be_is_refused(production: Environment, parameters: dict[str, str], why: str) -> None:
    with pytest.raises(Refused, match=why):
        kinds.get("backups.provider_pitr").clean(production, parameters)


def test_what_supabase_does_not_offer_is_refused_before_anything_is_asked(
    production: Environment, platform: Platform
) -> None:
    pitr, daily = kinds.get("backups.provider_pitr"), kinds.get("backups.provider_restore")
    at = stamp(datetime.now(UTC) - timedelta(seconds=2))
    refusals = []

    def refused(kind, **parameters: str) -> None:
        with pytest.raises(Refused) as refusal:
            kind.clean(production, parameters)
        refusals.append(str(refusal.value))

    refused(daily, backup="4711")
    ProviderBackup.objects.filter(external_id=newest_daily()).update(status="FAILED")
    refused(daily, backup="1000")
    platform.control("PATCH", f"projects/{REF}", {"pitr_enabled": False, "backups": [], "plan": "free"})
    sync(production, platform.client)
    refused(pitr, at=at)
    refused(daily, backup="999")
    platform.control("PATCH", f"projects/{REF}", {"status": "INACTIVE"})
    sync(production, platform.client)
    refused(pitr, at=at)

    wanted = ["lists no backup '4711'", "is FAILED", "not enabled for production", "no longer keeps", "is paused"]
    assert [each in text for each, text in zip(wanted, refusals, strict=True)] == [True] * 5
    assert writes(platform) == []


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
    monkeypatch.setattr(call, "LOOKS", 3)
    monkeypatch.setattr(call.until, "__defaults__", (3,))
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
    monkeypatch.setattr(steps.lookout, "_status", lambda api, ref: "RESTORE_FAILED")

    operation = act("backups.provider_restore", backup=newest_daily())

    assert operation.status == "failed"
    assert "RESTORE_FAILED" in operation.error
    assert f"our run {operation.result['present']}" in operation.error
    assert Run.objects.get(pk=operation.result["present"]).is_stored
    assert door == ["on", "off"]
    assert "backups.provider.not_restored" in Entry.objects.values_list("code", flat=True)


def test_a_result_that_lacks_what_we_hold_is_told(
    act, production: Environment, platform: Platform, monkeypatch
) -> None:
    held = export(act)
    whole = comparing.trusted_manifest(held, comparing.store_of(held))
    more = Head("no-such-chain", 3, 1, 3, "f" * 64)
    tables = tuple(replace(one, chains=(*one.chains, more)) if one.chains else one for one in whole.tables)
    monkeypatch.setattr(comparing, "trusted_manifest", lambda run, store: replace(whole, tables=tables))
    now = datetime.now(UTC) + timedelta(seconds=5)

    found = comparing.compare(SimpleNamespace(environment=production, operation=held.operation), Target(REF, now))

    assert found.run == held.pk
    assert [text.startswith("Chain no-such-chain") for text in found.problems] == [True]


def test_a_paused_project_is_refused_when_the_worker_looks(act, production: Environment, platform: Platform) -> None:
    platform.control("PATCH", f"projects/{REF}", {"status": "ACTIVE_UNHEALTHY"})

    operation = act("backups.provider_restore", backup=newest_daily())

    assert operation.status == "failed"
    assert "not ACTIVE_HEALTHY" in operation.error
    assert writes(platform) == []


def test_a_restore_point_is_asked_for_and_what_stays_as_it_was_is_not_called_restored(
    act, production: Environment, platform: Platform, monkeypatch
) -> None:
    monkeypatch.setattr(steps, "PATIENCE", 3)
    marked = act("backups.provider_restore_point", name="before-test")
    platform.control("POST", "faults", {"match": "POST .*/backups/undo", "status": 201, "empty": True})

    operation = act("backups.provider_restore", backup="before-test", present="skip")

    assert marked.result["point"] == "before-test"
    assert writes(platform) == ["restore-point", "undo"]
    assert operation.status == "failed"
    assert "its database is the one from before" in operation.error
    assert "restored_at" not in operation.result


def test_where_points_are_refused_our_own_proven_run_is_the_point(
    act, production: Environment, platform: Platform
) -> None:
    platform.control("PATCH", f"projects/{REF}", {"internal_endpoints": False})

    operation = act("backups.provider_restore_point")

    assert operation.status == "succeeded"
    assert "refused the restore point" in operation.result["instead"]
    assert Run.objects.get(pk=operation.result["run"]).status == "proven"
    assert writes(platform) == ["restore-point"]


def test_a_points_lost_answer_is_looked_up(act, production: Environment, platform: Platform) -> None:
    fault = {"match": "POST .*/restore-point", "status": 504, "after": True, "empty": True}
    platform.control("POST", "faults", fault)

    operation = act("backups.provider_restore_point", name="lost")

    assert operation.result["point"] == "lost"
    assert writes(platform) == ["restore-point"]
