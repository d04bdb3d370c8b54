"""No layer of Supabase's is green by what it was once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import RequestFactory

from backups.models import ProviderBackup
from backups.provider.sync import sync
from backups.web.layers import shown
from operations.models import Environment, SupabaseProject
from operations.periodic.clock import database_time
from tests.supabase_platform import Platform

pytestmark = pytest.mark.usefixtures("token")


def tones(environment: Environment, admin_user) -> list[str]:
    request = RequestFactory().get("/")
    request.user = admin_user
    return [layer.tone for layer in shown(request, environment)["layers"]]


@pytest.mark.parametrize(
    ("project", "window", "told"),
    [
        ({}, {}, "ok"),
        ({"error": "No answer.", "error_kind": "down"}, {}, "bad"),
        ({"status": "INACTIVE"}, {}, "bad"),
        ({"seen_at": timedelta(minutes=10)}, {}, "warn"),
        ({}, {"gone_at": timedelta(0)}, "warn"),
        ({}, {"latest_at": timedelta(days=-3)}, "warn"),
        ({}, {"latest_at": None}, "warn"),
    ],
    ids=["there", "unreadable", "paused", "not in the newest list", "gone", "ended long ago", "without an end"],
)
def test_a_window_is_green_only_while_it_is_there(
    unread_production: Environment, platform: Platform, admin_user, project: dict, window: dict, told: str
) -> None:
    sync(unread_production, platform.client)
    for model, changed in ((SupabaseProject, project), (ProviderBackup, window)):
        values = {
            name: database_time() + value if isinstance(value, timedelta) else value for name, value in changed.items()
        }
        rows = model.objects.filter(kind="pitr_window") if model is ProviderBackup else model.objects.all()
        rows.update(**values) if values else None

    assert tones(unread_production, admin_user)[2] == told
