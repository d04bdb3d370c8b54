"""Doctor's checks of Supabase: token and its expiry, project, copies, PITR, TLS, network."""

# ruff: noqa: F811 - fixtures are imported by name
from __future__ import annotations

from datetime import UTC, datetime

import pytest

from backups.doctor.supabase import expiry, supabase
from backups.provider.sync import sync
from operations.models import Environment, SupabaseProject
from tests.backups.provider_link import production, token  # noqa: F401
from tests.sandbox.conftest import FREE, REF, Platform, platform, platform_server  # noqa: F401


def test_doctor_tells_token_health_pitr_tls_and_network(production: Environment, platform: Platform) -> None:
    sync(production, platform.client)

    tones = {check.name: check.tone for check in supabase(production)}

    assert tones == {
        "Supabase token": "ok", "Supabase token expiry": "idle", "Supabase production project": "ok",
        "Supabase production backups": "ok", "Supabase production PITR": "ok", "Supabase production TLS": "warn",
        "Supabase production network": "warn",
    }  # fmt: skip


def test_what_was_never_read_is_no_missing_backup(production: Environment) -> None:
    SupabaseProject.objects.create(environment=production, ref=REF)

    (found,) = [check for check in supabase(production) if check.name == "Supabase production backups"]

    assert (found.tone, found.found) == ("idle", "not read yet")


@pytest.mark.parametrize(
    ("text", "tone"),
    [("", "idle"), ("soon", "bad"), ("2026-11-22", "bad"), ("2026-12-01", "warn"), ("2027-03-01", "ok")],
)
def test_the_tokens_expiry_is_warned_of(text: str, tone: str) -> None:
    assert expiry(text, datetime(2026, 11, 23, tzinfo=UTC)).tone == tone
