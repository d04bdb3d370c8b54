"""Doctor's checks of Supabase: token and its expiry, project, copies, PITR, TLS, network."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from backups.doctor.supabase import expiry, supabase
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


@pytest.mark.parametrize(
    ("text", "tone"),
    [("", "idle"), ("soon", "bad"), ("2026-11-22", "bad"), ("2026-12-01", "warn"), ("2027-03-01", "ok")],
)
def test_the_tokens_expiry_is_warned_of(text: str, tone: str) -> None:
    assert expiry(text, datetime(2026, 11, 23, tzinfo=UTC)).tone == tone
