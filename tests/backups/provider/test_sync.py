"""Supabase's own backups become rows and a verdict; every way of not answering has a clear state."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from itertools import product

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from backups.doctor.supabase import supabase
from backups.models import ProviderBackup
from backups.provider.assessment import judge, pitr_price
from backups.provider.sync import sync, sync_all
from ledger.models import Entry
from ledger.registry import sentence_for
from operations.models import Environment, Notification, SupabaseProject
from operations.supabase_projects import link, remember_projects
from providers.errors import ProviderError, Refused
from providers.http.errors import Misshapen
from sampelit_ops.site.home_panels import unbacked
from tests.missing import for_a_minute
from tests.supabase_platform import FREE, REF, Platform

pytestmark = pytest.mark.usefixtures("token")


def verdict_of(environment: Environment):
    project = SupabaseProject.objects.filter(environment=environment).first()
    return judge(project, list(ProviderBackup.objects.listed().filter(environment=environment)))


def told() -> list[str]:
    return list(Notification.objects.values_list("subject", flat=True))


def test_project_daily_backups_and_window_become_rows(unread_production: Environment, platform: Platform) -> None:
    row = sync(unread_production, platform.client)

    assert (row.plan, row.status, row.pitr_enabled, row.ssl_enforced, row.open_to_all) == (
        "pro",
        "ACTIVE_HEALTHY",
        True,
        False,
        True,
    )
    assert row.pooler_host == "aws-0-eu-west-3.pooler.supabase.com"
    assert ProviderBackup.objects.filter(kind="daily", status="COMPLETED").count() == 7
    window = ProviderBackup.objects.get(kind="pitr_window")
    assert window.holds(window.latest_at)
    assert verdict_of(unread_production).tone == "ok"
    assert "$100" in pitr_price(row)
    assert told() == []


def test_a_backup_that_supabase_forgets_is_kept_as_gone(unread_production: Environment, platform: Platform) -> None:
    sync(unread_production, platform.client)
    oldest = ProviderBackup.objects.filter(kind="daily").order_by("taken_at").first()

    platform.control("POST", f"projects/{REF}/backup")
    sync(unread_production, platform.client)
    assert ProviderBackup.objects.get(pk=oldest.pk).gone_at is None
    for_a_minute(ProviderBackup)
    sync(unread_production, platform.client)

    oldest.refresh_from_db()
    assert oldest.gone_at is not None
    assert told() == []
    assert ProviderBackup.objects.listed().filter(kind="daily").count() == 7


def test_a_point_that_is_there_does_not_let_an_empty_list_speak(
    unread_production: Environment, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(unread_production, platform.client)
    point = {"environment": unread_production, "ref": REF, "kind": "restore_point", "external_id": "p"}
    ProviderBackup.objects.create(**point, status="AVAILABLE")
    platform.control("PATCH", f"projects/{REF}", {"backups": [], "pitr_enabled": False})
    left = []
    for points in ({"p": "AVAILABLE"}, {}):
        monkeypatch.setattr("backups.provider.sync._points", lambda *_, points=points: points)
        for _ in range(3):
            sync(unread_production, platform.client)
            for_a_minute(ProviderBackup)
        left.append([ProviderBackup.objects.listed().filter(kind=kind).count() for kind in ("daily", "restore_point")])

    assert left == [[7, 1], [7, 0]]


def test_only_what_this_environment_has_and_supabase_no_longer_lists_is_gone(
    unread_production: Environment, platform: Platform
) -> None:
    long_ago = timezone.now() - timedelta(days=9)
    staging = Environment.objects.create(slug="staging", name="Staging", kind="staging")
    former, gone, elsewhere = (
        ProviderBackup.objects.create(environment=environment, ref=ref, kind="daily", external_id="0", gone_at=gone_at)
        for environment, ref, gone_at in (
            (unread_production, "former", None),
            (unread_production, REF, long_ago),
            (staging, "another", None),
        )
    )

    sync(unread_production, platform.client)

    now = {row.pk: row.gone_at for row in ProviderBackup.objects.filter(external_id="0")}
    assert (now[gone.pk], now[elsewhere.pk]) == (long_ago, None)
    assert now[former.pk] > long_ago


def test_what_can_be_returned_to_is_a_finished_copy_or_point_that_supabase_lists(
    unread_production: Environment,
) -> None:
    at = timezone.now()
    made = product(ProviderBackup.Kind.values, ["COMPLETED", "AVAILABLE", "FAILED", ""], [None, at], [None, at])
    rows = {
        ProviderBackup.objects.create(
            environment=unread_production,
            ref=REF,
            external_id=str(number),
            kind=kind,
            status=status,
            gone_at=gone,
            taken_at=taken,
        ): (kind, status, gone, taken)
        for number, (kind, status, gone, taken) in enumerate(made)
    }

    assert set(ProviderBackup.objects.restorable()) == {
        row
        for row, (kind, status, gone, taken) in rows.items()
        if kind != "pitr_window" and status in ("COMPLETED", "AVAILABLE") and gone is None and taken
    }


def test_copies_that_a_list_lacks_are_in_doubt_until_another_lacks_them(
    unread_production: Environment, platform: Platform
) -> None:
    sync(unread_production, platform.client)
    kept = list(platform.api.world.projects[REF]["backups"])
    for _ in range(3):
        platform.control("PATCH", f"projects/{REF}", {"backups": [], "pitr_enabled": False})
        sync(unread_production, platform.client)
        for_a_minute(ProviderBackup)
    doubt = verdict_of(unread_production)
    ProviderBackup.objects.update(seen_at=timezone.now() - timedelta(hours=2))

    assert ProviderBackup.objects.filter(gone_at=None).count() == 8
    assert (doubt.tone, doubt.word, doubt.missing) == ("warn", "not listed", False)
    assert verdict_of(unread_production).missing
    platform.control("PATCH", f"projects/{REF}", {"backups": [*kept[:3], *kept[4:]], "pitr_enabled": False})
    for _ in range(2):
        sync(unread_production, platform.client)
        for_a_minute(ProviderBackup)
    assert not verdict_of(unread_production).missing
    assert ProviderBackup.objects.exclude(gone_at=None).count() == 2
    assert sentence_for(Entry.objects.get(code="backups.provider.gone")).startswith("Supabase no longer lists ")
    assert len(told()) == 1


def home_card(rf):
    request = rf.get("/admin/")
    request.user = User(pk=1, is_active=True, is_superuser=True)
    return unbacked(request)


def test_an_empty_list_alarms_once_and_is_resolved_once(unread_production: Environment, platform: Platform, rf) -> None:
    platform.control("PATCH", f"projects/{REF}", {"backups": [], "pitr_enabled": False})
    sync(unread_production, platform.client)
    sync(unread_production, platform.client)
    found, card = verdict_of(unread_production), home_card(rf)
    platform.control("POST", f"projects/{REF}/backup")
    sync(unread_production, platform.client)

    assert (card.answer, card.tone, card.badge) == ("There is none", "bad", "production")
    assert home_card(rf) is None
    assert (found.tone, found.word, found.missing) == ("bad", "no backups", True)
    assert "empty list" in found.sentence
    subject = "Supabase keeps no backup of production"
    assert sorted(told()) == [f"Resolved: {subject}", subject]


def test_the_free_plan_is_said_in_words(unread_production: Environment, platform: Platform) -> None:
    platform.control("PATCH", f"projects/{REF}", {"backups": [], "pitr_enabled": False, "plan": "free"})

    sync(unread_production, platform.client)

    assert verdict_of(unread_production).sentence.startswith("The free plan has no backups that can be restored")
    assert told() == ["Supabase keeps no backup of production"]


REFUSALS = {
    401: ("Unauthorized", "refuses the token"),
    402: ("PlanTooLow", "plan does not include"),
    403: ("Unauthorized", "refuses the token"),
    404: ("NotFound", "does not know this project"),
    500: ("Unavailable", "does not answer"),
    503: ("Unavailable", "does not answer"),
    429: ("RateLimited", "asks to slow down"),
}


def test_every_refusal_is_a_state_of_its_own(unread_production: Environment, platform: Platform) -> None:
    sync(unread_production, platform.client)
    seen = {}
    for status in REFUSALS:
        platform.control("DELETE", "faults")
        platform.control("POST", "faults", {"match": f"GET .*{REF}/database/backups", "status": status, "times": 9})
        with pytest.raises(ProviderError):
            sync(unread_production, platform.client)
        seen[status] = (SupabaseProject.objects.get().error_kind, verdict_of(unread_production).sentence)

    assert {status: kind for status, (kind, _) in seen.items()} == {
        status: kind for status, (kind, _) in REFUSALS.items()
    }
    assert [word in seen[status][1] for status, (_, word) in REFUSALS.items()] == [True] * len(REFUSALS)
    assert ProviderBackup.objects.listed().filter(kind="daily").count() == 7
    assert told() == []


def test_an_empty_answer_is_unknown_and_never_no_backups(unread_production: Environment, platform: Platform) -> None:
    fault = {"match": "GET .*/database/backups", "status": 200, "empty": True, "times": 1}
    platform.control("POST", "faults", fault)

    with pytest.raises(Misshapen):
        sync(unread_production, platform.client)

    found = verdict_of(unread_production)
    assert (found.tone, found.word) == ("bad", "unknown")


def test_what_a_token_may_not_read_is_noted_not_invented(unread_production: Environment, platform: Platform) -> None:
    platform.control(
        "POST", "faults", {"match": "GET .*/(ssl-enforcement|network-restrictions)", "status": 403, "times": 9}
    )

    row = sync(unread_production, platform.client)

    assert (row.ssl_enforced, row.open_to_all) == (None, None)
    assert set(row.notes) == {"ssl", "network"}
    assert row.error == ""


def test_a_paused_project_is_told(unread_production: Environment, platform: Platform) -> None:
    platform.control("PATCH", f"projects/{REF}", {"status": "INACTIVE"})

    sync(unread_production, platform.client)

    assert verdict_of(unread_production).word == "paused"
    health = next(check for check in supabase(unread_production) if check.name == "Supabase production project")
    assert (health.tone, health.found) == ("bad", "paused (INACTIVE)")


def test_a_ref_that_the_token_does_not_see_is_refused(unread_production: Environment, platform: Platform) -> None:
    remember_projects(platform.client)

    with pytest.raises(Refused, match="sees no project 'zzzz'"):
        link(unread_production, "zzzz", by="admin", how="test")
    weaker = Environment.objects.create(slug="staging", name="S", kind="staging")
    with pytest.raises(Refused, match="is the project of production, whose votes guard it"):
        link(weaker, REF, by="admin", how="test")
    link(weaker, FREE, by="admin", how="test")

    assert Environment.objects.get(slug="staging").supabase_ref == FREE


def test_another_project_for_a_linked_environment_needs_votes(
    unread_production: Environment, platform: Platform
) -> None:
    remember_projects(platform.client)

    with pytest.raises(Refused, match=r"Request environments\.change with supabase_ref="):
        link(unread_production, FREE, by="admin", how="test")

    assert Environment.objects.get().supabase_ref == REF


def test_the_command_says_it_and_exits_1_without_backups(unread_production: Environment, platform: Platform) -> None:
    platform.control("PATCH", f"projects/{REF}", {"backups": [], "pitr_enabled": False})
    out = StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("sync_provider_backups", "--json", stdout=out)

    assert ended.value.code == 1
    assert '"state": "no backups"' in out.getvalue()


def test_the_periodic_job_needs_a_token_and_survives_a_refusal(
    unread_production: Environment, platform: Platform, settings
) -> None:
    platform.control("PATCH", "token", {"valid": False})
    refused = sync_all()
    settings.SUPABASE_ACCESS_TOKEN = ""

    assert (refused, sync_all()) == ([], [])
    assert SupabaseProject.objects.get().error_kind == "Unauthorized"
