"""Doctor's checks of Supabase: token and its expiry, project, copies, PITR, TLS, network."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from backups.doctor.supabase import expiry, supabase
from backups.models import ProviderBackup
from backups.provider.sync import sync
from operations.models import Environment, SupabaseProject
from tests.supabase_platform import REF, Platform

pytestmark = pytest.mark.usefixtures("token")


def test_doctor_tells_token_health_pitr_tls_and_network(unread_production: Environment, platform: Platform) -> None:
    sync(unread_production, platform.client)

    tones = {check.name: check.tone for check in supabase(unread_production)}

    assert tones == {
        "Supabase token": "ok",
        "Supabase token expiry": "idle",
        "Supabase production project": "ok",
        "Supabase production backups": "ok",
        "Supabase production PITR": "ok",
        "Supabase production TLS": "warn",
        "Supabase production network": "warn",
    }


def test_what_was_never_read_is_no_missing_backup(unread_production: Environment) -> None:
    SupabaseProject.objects.create(environment=unread_production, ref=REF)

    (found,) = [check for check in supabase(unread_production) if check.name == "Supabase production backups"]

    assert (found.tone, found.found) == ("idle", "not read yet")


@pytest.mark.parametrize("why", ["not read for a day", "refused since"])
def test_what_was_not_read_lately_is_green_nowhere(
    unread_production: Environment, platform: Platform, why: str
) -> None:
    sync(unread_production, platform.client)
    SupabaseProject.objects.update(ssl_enforced=True, open_to_all=False)
    assert [check.tone for check in supabase(unread_production)].count("ok") == 6
    if why == "refused since":
        SupabaseProject.objects.update(error="refused", error_kind="Unauthorized")
    else:
        SupabaseProject.objects.update(seen_at=timezone.now() - timedelta(days=1))

    checks = {check.name: check for check in supabase(unread_production)}

    assert [check for check in checks.values() if check.tone == "ok"] == []
    assert checks["Supabase production TLS"].found.startswith("enforced, when it was last read (20")


def test_services_that_nobody_told_are_not_passed_over(unread_production: Environment, platform: Platform) -> None:
    sync(unread_production, platform.client)
    SupabaseProject.objects.update(notes={"health": "this token may not"}, services=[])

    (found,) = [check for check in supabase(unread_production) if check.name == "Supabase production project"]

    assert found.found.endswith("how its services are is not told")


def test_a_copy_of_times_to_come_is_no_copy(unread_production: Environment, platform: Platform) -> None:
    sync(unread_production, platform.client)
    ahead = timezone.now() + timedelta(days=30)
    ProviderBackup.objects.update(taken_at=ahead, latest_at=ahead)

    (found,) = [check for check in supabase(unread_production) if check.name == "Supabase production backups"]

    assert (found.tone, found.found) == ("bad", "no backups")


@pytest.mark.parametrize(
    ("text", "tone"),
    [("", "idle"), ("soon", "bad"), ("2026-11-22", "bad"), ("2026-12-01", "warn"), ("2027-03-01", "ok")],
)
def test_the_tokens_expiry_is_warned_of(text: str, tone: str) -> None:
    assert expiry(text, datetime(2026, 11, 23, tzinfo=UTC)).tone == tone
