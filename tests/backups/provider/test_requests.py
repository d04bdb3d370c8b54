"""What is refused before Supabase is asked, and restore points with our own run in their place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backups.models import ProviderBackup, Run
from backups.provider import steps
from backups.provider.sync import sync
from operations.engine import kinds
from operations.models import Environment
from providers.errors import Refused
from tests.supabase_platform import REF, Platform
from tests.supabase_production import newest_daily, stamp, writes


@pytest.mark.sampled(2)
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
