"""What Supabase's newest list does not show is offered nowhere, and what cannot be restored is no backup."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from backups.models import ProviderBackup
from backups.provider.sync import sync
from backups.provider.target import of_second
from operations.models import Environment
from operations.periodic.clock import database_time
from providers.errors import Refused
from tests.backups.provider.test_sync import told, verdict_of
from tests.supabase_platform import REF, Platform

pytestmark = pytest.mark.usefixtures("token")


def page(client: Client) -> str:
    return client.get(f"{reverse('admin:backups_layers')}?environment=production").text


@pytest.mark.parametrize("status", ["FAILED", "PENDING", "ARCHIVED"])
def test_copies_of_which_none_can_be_restored_are_no_backup(
    unread_production: Environment, platform: Platform, status: str
) -> None:
    entries = [{**entry, "status": status} for entry in platform.api.world.projects[REF]["backups"]]
    platform.control("PATCH", f"projects/{REF}", {"backups": entries, "pitr_enabled": False})

    sync(unread_production, platform.client)

    found = verdict_of(unread_production)
    assert (found.tone, found.word, found.missing) == ("bad", "no backups", True)
    assert f"lists 7 copies, and none that can be restored ({status.lower()})" in found.sentence
    assert told() == ["Supabase keeps no backup of production"]


def test_a_copy_that_the_newest_list_lacks_is_not_offered(
    unread_production: Environment, platform: Platform, admin_client: Client
) -> None:
    sync(unread_production, platform.client)
    before = page(admin_client)
    kept = platform.api.world.projects[REF]["backups"]
    platform.control("PATCH", f"projects/{REF}", {"backups": kept[:3], "pitr_enabled": True})

    sync(unread_production, platform.client)

    after = page(admin_client)
    assert (before.count("/backups.provider_restore/"), after.count("/backups.provider_restore/")) == (7, 3)
    assert after.count("last listed") == 4


def test_a_window_that_the_newest_list_lacks_is_not_offered(
    unread_production: Environment, platform: Platform, admin_client: Client
) -> None:
    sync(unread_production, platform.client)
    at = f"{database_time() - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"
    offered = "backups.provider_pitr/" in page(admin_client)
    ProviderBackup.objects.filter(kind="pitr_window").update(earliest_at=database_time() - timedelta(hours=1))
    assert of_second(unread_production, {"at": at}).ref == REF
    ProviderBackup.objects.filter(kind="pitr_window").update(seen_at=database_time() - timedelta(minutes=20))

    with pytest.raises(Refused, match="tells of no window"):
        of_second(unread_production, {"at": at})

    assert offered
    assert "backups.provider_pitr/" not in page(admin_client)
