"""Doctor's checks of Supabase: token and its expiry, project, copies, PITR, TLS, network."""

# ruff: noqa: F401, F811 - fixtures are imported by name
from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

import pytest
import stamina
from django.contrib.auth.models import User
from django.core.management import call_command

from backups.models import ProviderBackup
from backups.provider.doctor import expiry, supabase
from backups.provider.sync import sync, sync_all
from backups.provider.verdict import judge, pitr_price
from operations.models import Environment, Notification, SupabaseProject
from operations.supabase import link, remember_projects
from providers.errors import ProviderError, Refused
from sampelit_ops.panels import unbacked
from tests.sandbox.conftest import FREE, REF, Platform, platform, platform_server


@pytest.fixture
def production(db: None) -> Environment:
    return Environment.objects.create(slug="production", kind="production", protected=True, supabase_ref=REF)


@pytest.fixture(autouse=True)
def token(settings, platform: Platform) -> None:
    settings.SUPABASE_ACCESS_TOKEN, settings.SUPABASE_API_BASE = platform.api.world.token, platform.api.base
    with stamina.set_testing(True, attempts=1):
        yield


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
