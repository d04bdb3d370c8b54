"""Green is only as fresh as the reading that it rests on: home page and doctor, when nobody looked, or not lately."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.test import RequestFactory
from django.utils import timezone

from deployments import doctor as checks
from deployments import network, workspace
from deployments.health import auto_rollback, probing
from deployments.health.sight import Sight
from deployments.models import ConfigFingerprint, Deployment, Service, SyncState, WebhookDelivery
from deployments.variables.parity import REQUIRED
from deployments.web import home
from operations import doctor
from operations.engine.tick import NEVER
from operations.models import Environment, Heartbeat
from operations.periodic.clock import database_time
from providers.http.health_probe import HealthResponse

pytestmark = pytest.mark.django_db
AGO = timedelta(hours=3)


@pytest.fixture
def api() -> Service:
    place = Environment.objects.create(slug="production", name="Production", kind="production", supabase_ref="aaa")
    row = Service.objects.create(
        render_id="srv-1",
        name="api",
        type="web_service",
        environment=place,
        url="https://a.example",
        health_check_path="/health",
        health="healthy",
        health_streak=9,
        probed_at=database_time(),
    )
    live = {"status": "live", "health": "healthy", "created_at": timezone.now()}
    Deployment.objects.create(service=row, render_id="dep-1", **live)
    SyncState.objects.create()
    for job in {job for job in doctor._rests_on.values() if job}:
        Heartbeat.objects.keep(f"job:{job}", {})
    return row


def another(api: Service, **more: Any) -> Service:
    well = {"type": "web_service", "url": "https://b", "health_check_path": "/", "health": "healthy"}
    now = {"probed_at": database_time(), "environment": api.environment, "health_streak": 9}
    return Service.objects.create(**{"render_id": "srv-2", "name": "web", **well, **now, **more})


HEALTH: list[tuple[str, dict[str, Any], str, str]] = [
    ("all is well", {}, "Healthy", "ok"),
    ("a worker is suspended", {"type": "background_worker", "suspended": True, "url": ""}, "Suspended", "bad"),
    ("one is ill, another in maintenance", {"health": "unhealthy"}, "Not healthy", "bad"),
    ("one was never probed", {"health": "unknown", "probed_at": None}, "Not probed yet", "warn"),
    ("one has no health address", {"health_check_path": ""}, "Cannot tell", "warn"),
    ("one was not probed for hours", {"probed_at": timezone.now() - AGO}, "Cannot tell", "warn"),
    ("one was not found by its id", {"missing_since": timezone.now()}, "Cannot tell", "warn"),
    ("nobody can tell", {"doubt": "silence from everywhere"}, "Cannot tell", "warn"),
    ("a static site needs none", {"type": "static_site", "health_check_path": ""}, "Healthy", "ok"),
]


@pytest.mark.parametrize(("what", "more", "answer", "tone"), HEALTH, ids=[row[0] for row in HEALTH])
def test_the_health_card_is_green_only_where_each_was_seen_to_be_well(
    api: Service, rf: RequestFactory, what: str, more: dict[str, Any], answer: str, tone: str
) -> None:
    another(api, **more)
    if "maintenance" in what:
        Service.objects.filter(pk=api.pk).update(maintenance=True)

    panel = home.health(rf.get("/"))

    assert (panel.answer, panel.tone) == (answer, tone)


def two_live(api: Service) -> None:
    Deployment.objects.create(service=api, render_id="dep-2", status="live", created_at=timezone.now())


def not_polled(api: Service) -> None:
    Heartbeat.objects.update(beat_at=database_time() - AGO)


def never_polled(api: Service) -> None:
    Heartbeat.objects.update(beat_at=NEVER)


def test_the_live_card_says_of_which_service_it_is_where_several_are_live(api: Service, rf: RequestFactory) -> None:
    alone = home.live(rf.get("/")).detail
    more = {"type": "web_service", "environment": api.environment}
    other = Service.objects.create(render_id="srv-2", name="shop", **more)
    Deployment.objects.create(service=other, render_id="dep-2", status="live", created_at=timezone.now())

    assert not alone.startswith("api")
    assert home.live(rf.get("/")).detail.startswith("shop · ")


DOUBTS = [(two_live, "2 deploys of api live"), (not_polled, "last asked 3 h"), (never_polled, "no worker has asked")]


@pytest.mark.parametrize(("doubt", "word"), DOUBTS)
def test_the_live_card_says_why_it_may_not_be_so(
    api: Service, rf: RequestFactory, doubt: Callable[[Service], None], word: str
) -> None:
    assert home.live(rf.get("/")).tone == "idle"
    doubt(api)

    panel = home.live(rf.get("/"))

    assert panel.tone == "warn"
    assert word in panel.badge


RESTING = sorted((source, job) for source, job in doctor._rests_on.items() if job)


def test_each_check_of_what_a_provider_says_rests_on_its_job() -> None:
    told = {name for name, source in doctor._sources.items() if source.__module__.startswith("deployments.")}
    assert told == {source for source, _ in RESTING} & told


def greens() -> dict[str, str]:
    every = [check for source in ("render", "variables", "reach") for check in doctor.run(only=source)]
    return {check.name: check.tone for check in every if check.name in GREEN}


GREEN = {"Render", "Render webhooks", "variables", "production reach from Render"}


@pytest.fixture
def green(api: Service, settings: Any) -> Service:
    settings.RENDER_API_KEY, settings.RENDER_WEBHOOK_SECRET = "key", "whsec_x"
    for key in REQUIRED:
        ConfigFingerprint.objects.create(service=api, kind="variable", key=key, fingerprint="x")
    WebhookDelivery.objects.create(delivery_id="d-1", status="processed")
    Heartbeat.objects.keep(workspace.KEPT, {"addresses": {"srv-1": ["192.0.2.1"]}})
    seen = {"allowed": ["192.0.2.0/24"], "seen_at": timezone.now().isoformat()}
    Heartbeat.objects.keep(f"{network.PREFIX}aaa", seen)
    assert greens() == dict.fromkeys(GREEN, "ok")
    return api


@pytest.mark.parametrize("beat_at", [NEVER, timezone.now() - AGO], ids=["never", "long ago"])
def test_no_line_is_green_while_the_job_that_reads_it_is_late(green: Service, beat_at: datetime) -> None:
    Heartbeat.objects.filter(name__startswith="job:").update(beat_at=beat_at)

    assert greens() == dict.fromkeys(GREEN, "warn")


def unread(api: Service) -> None:
    ConfigFingerprint.objects.update(seen_at=database_time() - AGO)


def addressed(*services: Service) -> None:
    Heartbeat.objects.keep(workspace.KEPT, {"addresses": {row.render_id: ["192.0.2.1"] for row in services}})


def unknown(api: Service) -> None:
    addressed(api, another(api))


def unknown_worker(api: Service) -> None:
    addressed(api, another(api, type="background_worker", url=""))


def unlooked(api: Service) -> None:
    row = Heartbeat.objects.get(name=f"{network.PREFIX}aaa")
    Heartbeat.objects.keep(row.name, row.detail | {"seen_at": (timezone.now() - AGO).isoformat()})


def doubted(api: Service) -> None:
    row = Heartbeat.objects.get(name=f"{network.PREFIX}aaa")
    missing = {"allowed": {"192.0.2.0/24": timezone.now().isoformat()}}
    Heartbeat.objects.keep(row.name, row.detail | {"missing": missing})


def unworked(api: Service) -> None:
    WebhookDelivery.objects.create(delivery_id="d-2", received_at=database_time() - timedelta(hours=1))


OLD = [
    (unread, "variables"),
    (unknown, "variables"),
    (unknown_worker, "variables"),
    (unlooked, "production reach from Render"),
    (doubted, "production reach from Render"),
    (unworked, "Render webhooks"),
]


@pytest.mark.parametrize(("age", "name"), OLD, ids=[row[0].__name__ for row in OLD])
def test_a_job_that_runs_and_is_refused_makes_nothing_green(
    green: Service, age: Callable[[Service], None], name: str
) -> None:
    """The job is in time, but what it was to read is old, in doubt or still waits."""
    age(green)

    assert greens() == dict.fromkeys(GREEN, "ok") | {name: "warn"}


def test_a_service_in_doubt_is_a_line(green: Service) -> None:
    Service.objects.update(missing_since=timezone.now())

    found = {check.name: check.tone for check in checks.services(None)}
    assert found["api is there"] == "warn"


def sick_three_times(api: Service) -> None:
    """A young release of a service that is taken back by itself, and one before it that was healthy."""
    api.auto_rollback = True
    api.save()
    at = timezone.now() - timedelta(days=1)
    before = {"status": "deactivated", "health": "healthy", "commit_sha": "a" * 40, "created_at": at}
    Deployment.objects.create(service=api, render_id="dep-0", **before)
    Deployment.objects.filter(render_id="dep-1").update(health="", commit_sha="b" * 40)
    sight = cast(Sight, SimpleNamespace(is_clear=True))
    for _ in range(3):
        row = Service.objects.select_related("environment").get(pk=api.pk)
        probing.record_health(row, HealthResponse(503, b'{"status": "degraded"}', 9), sight)


def nothing(api: Service) -> None:
    """Render was asked just now, and calls one deploy live."""
    Heartbeat.objects.keep("job:deployments.poll", {})


@pytest.mark.parametrize(("doubt", "asked"), [(nothing, True), (two_live, False), (not_polled, False)])
def test_no_release_is_taken_back_while_nobody_knows_which_is_live(
    api: Service, monkeypatch: pytest.MonkeyPatch, doubt: Callable[[Service], None], asked: bool
) -> None:
    requested: list[str] = []
    monkeypatch.setattr(auto_rollback, "request", lambda kind, **_: requested.append(kind))
    monkeypatch.setattr(auto_rollback.kinds.get("deployments.rollback"), "assess", lambda *_: "routine")
    monkeypatch.setattr(auto_rollback, "_serves", lambda service: True)
    doubt(api)

    sick_three_times(api)

    assert bool(requested) is asked
    assert Service.objects.get().health == "unhealthy"
    judged = set(Deployment.objects.filter(status="live").values_list("health", flat=True))
    assert ("unhealthy" in judged) is (doubt is not two_live)
