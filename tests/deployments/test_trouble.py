"""Crashed, out of memory, disk nearly full: on the home page until it ended; words that nobody knows are counted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import RequestFactory
from django.utils import timezone

from deployments.health.trouble import read_events, troubles, unknown_words
from deployments.models import Deployment, Service
from deployments.web import home
from deployments.web.environment_page import deployed, incident
from operations.models import Environment, Notification
from operations.periodic import calls
from operations.periodic.isolation import SomeFailed
from providers.http import tally
from providers.render import Event
from providers.render.event_types import KNOWN, trouble_of
from providers.supabase.models import Backups

pytestmark = pytest.mark.django_db
OOM = {"reason": {"evicted": False, "oomKilled": {"memoryLimit": "512Mi"}}}
WORDS = [
    ("server_failed", OOM, "Out of memory (512Mi)"),
    ("server_failed", {"reason": {"nonZeroExit": 137}}, "Crashed (exit 137)"),
    ("server_failed", {"reason": {"evicted": True}}, "Evicted"),
    ("server_failed", {}, "Crashed"),
    ("server_failed", {"reason": None}, "Crashed"),
    ("server_failed", {"reason": "text"}, "Crashed"),
    ("server_failed", {"reason": {"oomKilled": 7}}, "Crashed"),
    ("service_disk_usage_high", {}, "Disk nearly full"),
    ("server_hardware_failure", {}, "Server hardware failure"),
    ("server_available", OOM, ""),
    ("a_word_of_2027", OOM, ""),
]


@pytest.mark.parametrize(("kind", "details", "word"), WORDS, ids=str)
def test_what_an_event_is_called(kind: str, details: dict[str, Any], word: str) -> None:
    assert trouble_of(Event("evt-1", kind, details=details)) == word


class Render:
    """Only events: those after the time that is asked for."""

    def __init__(self) -> None:
        self.events = self
        self.happened: list[Event] = []

    def list(self, service: str, *, start: datetime) -> list[Event]:
        if service == "srv-broken":
            raise KeyError(service)
        return [event for event in reversed(self.happened) if event.at and event.at >= start]

    def say(self, kind: str, seconds: float = 0, **details: Any) -> None:
        self.happened.append(
            Event(str(len(self.happened)), kind, "srv-1", timezone.now() + timedelta(seconds=seconds), details)
        )


@pytest.fixture
def render() -> Any:
    place = Environment.objects.create(slug="production", name="Production", kind="production")
    Service.objects.create(render_id="srv-1", name="api", type="web_service", environment=place)
    return Render()


def test_trouble_is_told_and_shown_until_it_ends(render: Any, rf: RequestFactory) -> None:
    render.say("server_failed", **OOM)
    read_events(render)
    read_events(render)
    panel = home.health(rf.get("/"))
    assert (panel.answer, panel.tone, panel.badge) == ("Out of memory (512Mi)", "bad", "api")
    assert [check.found for check in troubles(None)] == ["Out of memory (512Mi)"]

    render.say("server_available", seconds=1)
    read_events(render)

    assert Service.objects.get().trouble == ""
    assert list(Notification.objects.order_by("pk").values_list("subject", flat=True)) == [
        "api: Out of memory (512Mi)",
        "Resolved: api: runs",
    ]
    assert list(troubles(None)) == []


@pytest.mark.parametrize(("minutes", "found"), [(None, "never"), (31, "UTC"), (29, "")])
def test_that_no_trouble_is_known_is_only_of_what_was_read_lately(render: Any, minutes: int | None, found: str) -> None:
    read_events(render)
    assert list(troubles(None)) == []
    at = None if minutes is None else timezone.now() - timedelta(minutes=minutes)
    Service.objects.update(events_read_at=at)

    checks = list(troubles(None))

    assert [check.tone for check in checks] == ["warn"] * bool(found)
    assert all(check.name == "Render's events" and f"{found})" in check.found for check in checks)


def test_an_end_of_before_ends_nothing_and_trouble_is_not_for_ever(render: Any) -> None:
    render.say("server_failed")
    render.say("server_available", seconds=-30)
    read_events(render)
    assert Service.objects.get().trouble == "Crashed"
    Service.objects.update(trouble_since=timezone.now() - timedelta(hours=7))
    render.happened.clear()

    read_events(render)

    assert Service.objects.get().trouble == ""


@pytest.mark.parametrize(
    ("events", "left"),
    [
        (["service_disk_usage_high", "server_restarted", "server_available"], "Disk nearly full"),
        (["service_disk_usage_high", "server_failed"], "Crashed; Disk nearly full"),
        (["service_disk_usage_high", "server_failed", "server_available"], "Disk nearly full"),
        (["server_failed", "service_disk_usage_high", "disk_updated"], "Crashed"),
        (["service_disk_usage_high", "disk_updated"], ""),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_a_server_that_runs_again_has_no_more_space_for_that(
    render: Any, events: list[str], left: str, at_once: bool
) -> None:
    for number, kind in enumerate(events):
        render.say(kind, seconds=number - 10)
        if not at_once:
            read_events(render)
    read_events(render)

    assert Service.objects.get().trouble == left


def test_trouble_of_times_to_come_is_of_now_and_ends(render: Any) -> None:
    render.say("server_failed", seconds=10**9)
    read_events(render)
    service = Service.objects.get()
    assert (service.trouble, service.trouble_since <= timezone.now()) == ("Crashed", True)
    render.happened.clear()
    render.say("server_available", seconds=10)

    read_events(render)

    assert Service.objects.get().trouble == ""


def test_trouble_of_which_nobody_told_again_is_not_called_resolved(render: Any) -> None:
    render.say("server_failed")
    read_events(render)
    Service.objects.update(trouble_since=timezone.now() - timedelta(hours=7))
    render.happened.clear()

    read_events(render)

    assert Notification.objects.latest("pk").subject == (
        "api: no word of “Crashed” for hours; whether it ended, Render did not say"
    )


def test_one_that_breaks_leaves_the_others_read(render: Any) -> None:
    place = Environment.objects.get()
    Service.objects.create(render_id="srv-broken", name="a", type="web_service", environment=place)
    render.say("server_failed")

    with pytest.raises(SomeFailed, match="1 failed"):
        read_events(render)

    assert Service.objects.get(name="api").trouble == "Crashed"


def test_words_that_nobody_knows_are_counted_and_shown(render: Any) -> None:
    for kind in ("a_word_of_2027", "a_word_of_2027", "auto_deploy_enabled"):
        render.say(kind)
    row = {"service": Service.objects.get(), "status": "unknown", "created_at": timezone.now()}
    Deployment.objects.create(render_id="dep-1", provider_status="hibernating", **row)
    assert next(unknown_words(None)).found == "hibernating (1)"

    read_events(render)

    check = next(unknown_words(None))
    assert (check.tone, check.found) == ("warn", "hibernating (1), a_word_of_2027 (2)")
    assert "auto_deploy_enabled" in KNOWN


def test_requests_are_counted_by_the_hour() -> None:
    tally.taken()
    for provider in ("Render", "Render", "Supabase"):
        tally.count(provider)

    calls.keep()
    tally.count("Render")
    calls.keep()
    calls.keep()

    assert sorted(calls.by_provider()) == [("Render", 3, 3), ("Supabase", 1, 1)]


@pytest.mark.parametrize("value", [0, -1, 1, "0", None, "", "1970-01-01T00:00:00Z", 10**18, [], {}])
def test_a_window_that_begins_before_supabase_is_none(value: object) -> None:
    window = {"earliest_physical_backup_date_unix": value, "latest_physical_backup_date_unix": 1_790_000_000}

    read = Backups.parse({"pitr_enabled": True, "backups": [], "physical_backup_data": window})

    assert (read.earliest, read.latest is not None) == (None, True)


@pytest.mark.parametrize(
    ("kind", "details", "told", "tone"),
    [
        ("auto_deploy_enabled", {"newTrigger": "commit"}, "switched on at Render: the next push deploys", "warn"),
        ("auto_deploy_disabled", {"reason": "setting_change"}, "switched off at Render (setting change)", "warn"),
        ("disk_snapshot_restored", {"triggeredByUser": "usr-1"}, "what was written since is gone", "warn"),
        ("service_disk_usage_high", {"usagePercent": 91.5}, "nearly full (91.5 %)", "bad"),
        ("service_disk_usage_high", {"usagePercent": "much"}, "A disk is nearly full", "bad"),
        ("server_failed", {"reason": {"nonZeroExit": 137}}, "exited with 137", "bad"),
        ("artifact_fetch_failed", {}, "artifact fetch failed", "bad"),
    ],
)
def test_the_timeline_tells_what_render_did(kind: str, details: dict[str, Any], told: str, tone: str) -> None:
    line = incident(Event("evt-1", kind, details=details))

    assert told in line.sentence
    assert line.tone == tone
    assert line.actor == details.get("triggeredByUser", "")


@pytest.mark.parametrize(
    ("status", "tone"),
    [
        ("live", "ok"),
        ("deactivated", "ok"),
        ("canceled", "idle"),
        ("unknown", "run"),
        ("build_in_progress", "run"),
        ("update_failed", "bad"),
    ],
)
def test_only_a_deploy_that_was_live_is_green_there(status: str, tone: str) -> None:
    service = Service.objects.create(render_id="srv-9", name="api", type="web_service")

    row = Deployment.objects.create(service=service, render_id="dep-9", status=status, created_at=timezone.now())

    assert deployed(row).tone == tone
