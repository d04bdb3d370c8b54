"""Health is a judgement with doubt: nothing is red, green or rolled back on what the portal could not see or read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import RequestFactory
from django.utils import timezone

from deployments import jobs
from deployments.health import auto_rollback, probing
from deployments.health.auto_rollback import consider
from deployments.health.sight import Sight
from deployments.models import Deployment, HealthCheck, Service
from deployments.render.client import note_answer
from deployments.web import home
from operations.models import Environment, Notification, Operation
from operations.periodic.isolation import SomeFailed
from providers.errors import Refused
from providers.http.errors import Unavailable
from providers.http.health_probe import HealthResponse

FINE, SICK = b'{"status":"ok"}', b'{"status":"degraded"}'
NOWHERE = "http://127.0.0.1:9"
SILENCE = HealthResponse(error="no answer (TimeoutError)")


def said(body: bytes, status: int = 200) -> HealthResponse:
    return HealthResponse(status, body, 5)


@pytest.fixture
def api(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A production service that was long healthy; nobody outside answers, but Render tells of the service."""
    monkeypatch.setattr(auto_rollback, "quick", lambda: None)
    monkeypatch.setattr(auto_rollback, "fetch", lambda _, render_id: Service.objects.get(render_id=render_id))
    settings.RENDER_API_BASE, settings.HEALTH_WITNESS_URLS, settings.HEALTH_GOOD_PROBES = NOWHERE, [], 2
    place = Environment.objects.create(slug="production", name="Production", kind="production")
    row = Service.objects.create(
        render_id="srv-1", name="api", type="web_service", environment=place, health="healthy", auto_rollback=True
    )
    Service.objects.filter(pk=row.pk).update(health_streak=9, url=NOWHERE, health_check_path="/health")
    released(row, "aaaaaaaa", status="deactivated", health="healthy", days=2)
    return Service.objects.get(pk=row.pk)


def released(service: Service, commit: str, *, status: str = "live", health: str = "", days: float = 0) -> Deployment:
    at = timezone.now() - timedelta(days=days, minutes=5)
    times = dict.fromkeys(("created_at", "finished_at"), at)
    return Deployment.objects.create(
        service=service, render_id=f"dep-{commit}", commit_sha=commit, status=status, health=health, **times
    )


def probe(service: Service, *answers: HealthResponse, others: list[HealthResponse] | None = None) -> Service:
    for answer in answers:
        row = Service.objects.select_related("environment").get(pk=service.pk)
        probing.record_health(row, answer, Sight(others or []))
    return Service.objects.get(pk=service.pk)


def test_silence_from_everywhere_is_our_own_blindness(api: Service, rf: RequestFactory) -> None:
    released(api, "bbbbbbbb", health="healthy")

    seen = probe(api, *[SILENCE] * 5)

    assert (seen.health, seen.health_streak) == ("healthy", 9)
    assert not Operation.objects.exists()
    assert not Notification.objects.exists()
    panel = home.health(rf.get("/"))
    assert (panel.answer, panel.tone) == ("Cannot tell", "warn")
    back = probe(api, said(FINE))
    assert (back.doubt, back.doubt_since, home.health(rf.get("/")).answer) == ("", None, "Healthy")


def test_silence_of_one_is_red_and_never_a_rollback(api: Service) -> None:
    released(api, "bbbbbbbb")

    seen = probe(api, *[SILENCE] * 5, others=[said(b"", 500)])

    assert seen.health == "unhealthy"
    assert Notification.objects.count() == 1
    assert not Operation.objects.exists()


def test_the_other_worker_may_see(api: Service) -> None:
    sight = Sight()
    assert not Sight().is_clear

    HealthCheck.objects.create(service=api, healthy=True, status_code=200)

    assert sight.is_clear


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        ({}, True),
        ({"found_healthy_at": timezone.now()}, False),
        ({"finished_at": timezone.now() - timedelta(hours=1)}, False),
        ({"finished_at": timezone.now() + timedelta(days=9)}, False),
        ({"trigger": "rollback"}, False),
        ({"seeded": True}, False),
    ],
)
def test_only_a_young_release_that_never_was_healthy_is_taken_back(
    api: Service, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], asked: bool
) -> None:
    assert tried(api, monkeypatch, [said(SICK)] * 3, **change) is asked


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        ([said(SICK)] * 2, True),
        ([said(b"", 502)] * 2, True),
        ([said(SICK), SILENCE, SILENCE, said(SICK)], False),
        ([SILENCE] * 3, False),
        ([said(b"")] * 3, False),
        ([said(SICK), said(b""), said(SICK)], True),
        ([said(b'{"status":"ok","version":"aaaaaaa"}')] * 3, False),
    ],
)
def test_only_its_own_word_takes_a_release_back(
    api: Service, monkeypatch: pytest.MonkeyPatch, answers: list[HealthResponse], asked: bool
) -> None:
    assert tried(api, monkeypatch, answers) is asked


CLOSED = [{"suspended": True}, {"maintenance": True}]


@pytest.mark.parametrize("closed", CLOSED, ids=["suspended", "maintenance"])
def test_renders_own_page_before_a_closed_door_takes_nothing_back(
    api: Service, monkeypatch: pytest.MonkeyPatch, closed: dict[str, bool]
) -> None:
    """Closed in Render's dashboard since the last poll: what answers 503 is not the release."""
    monkeypatch.setattr(auto_rollback, "fetch", lambda *_: Service(**closed))

    assert tried(api, monkeypatch, [said(b"", 503)] * 3) is False


@pytest.mark.parametrize("error", [Refused("no"), Unavailable("silent"), None])
def test_nothing_is_taken_back_of_what_render_does_not_know_now(
    api: Service, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    def asked(*_: object) -> None:
        if error:
            raise error

    monkeypatch.setattr(auto_rollback, "fetch", asked)

    assert tried(api, monkeypatch, [said(SICK)] * 3) is False


def test_nothing_is_taken_back_while_render_does_not_answer(api: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    note_answer(Refused("no"))

    assert tried(api, monkeypatch, [said(SICK)] * 3) is False


def test_nothing_is_taken_back_while_the_services_own_record_lags(
    api: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    note_answer(None, unread=["api dep-cccccccc: its time is none"])
    assert tried(api, monkeypatch, [said(SICK)] * 3) is False
    for unread in (["api: Render answered 503"], [f"api-{number}: Render answered 503" for number in range(20)]):
        note_answer(None, unread=unread)
        assert consider(Deployment.objects.get(status="live"), Sight([said(FINE)])) is None
    note_answer(None, unread=["api-2: Render answered 503", "api-2 dep-cccccccc: its time is none"])

    asked: list[str] = []
    monkeypatch.setattr("deployments.health.auto_rollback.request", lambda kind, **_: asked.append(kind))
    consider(Deployment.objects.get(status="live"), Sight([said(FINE)]))
    assert asked == ["deployments.rollback"]


def test_nobodys_words_keep_a_release_from_being_taken_back(api: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may ask for a rollback could write the portal's reason first."""
    reason = "automatic: dep-bbbbbbbb is live but not healthy"
    Operation.objects.create(
        kind="deployments.rollback",
        environment=api.environment,
        reason=reason,
        requested_by=User.objects.create(username="olga"),
        status="queued",
        approvals_required=0,
        risk="routine",
        expires_at=timezone.now(),
    )

    assert tried(api, monkeypatch, [said(SICK)] * 3) is True


def tried(api: Service, monkeypatch: pytest.MonkeyPatch, answers: list[HealthResponse], **change: Any) -> bool:
    """Whether a rollback was asked for after these answers of a new release."""
    asked: list[str] = []
    monkeypatch.setattr("deployments.health.auto_rollback.request", lambda kind, **_: asked.append(kind))
    live = released(api, "bbbbbbbb")
    Deployment.objects.filter(pk=live.pk).update(**change)
    probe(api, *answers, others=[said(FINE)])
    consider(Deployment.objects.get(pk=live.pk), Sight([said(FINE)]))
    return bool(asked)


@pytest.mark.parametrize(("minutes", "health"), [(0, "healthy"), (5, "unhealthy")])
def test_an_older_version_is_not_healthy(api: Service, minutes: float, health: str) -> None:
    live = released(api, "bbbbbbbb")
    at = timezone.now() - timedelta(minutes=minutes)
    Deployment.objects.filter(pk=live.pk).update(created_at=at, finished_at=at)

    seen = probe(api, *[said(b'{"status":"ok","version":"aaaaaaa"}')] * 3)

    live.refresh_from_db()
    assert (seen.health, live.health) == (health, "unhealthy" if minutes else "")
    assert "bbbbbbb was released" in seen.health_detail
    assert probe(api, *[said(b'{"status":"ok","version":"bbbbbbb"}')] * 2).health == "healthy"
    assert probe(api, *[said(b'{"status":"ok","version":"2.1"}')] * 2).health == "healthy"


@pytest.mark.parametrize(("bad", "health"), [(1, ""), (2, "unhealthy")])
def test_what_the_one_before_answered_while_they_were_switched_is_no_bad_probe(
    api: Service, bad: int, health: str
) -> None:
    row = released(api, "bbbbbbbb")
    Deployment.objects.filter(pk=row.pk).update(finished_at=timezone.now())
    older = said(json.dumps({"status": "ok", "version": "aaaaaaaa"}).encode())

    probe(api, *[older] * 3, *[said(b"", 503)] * bad)

    row.refresh_from_db()
    assert row.health == health


@pytest.mark.parametrize("written", ["AAAAAAA", "v1.2-aaaaaaa", "api@aaaaaaa-dirty", "2026-11-30 (aaaaaaa)", "a" * 40])
def test_an_older_version_is_found_however_it_is_written(api: Service, written: str) -> None:
    live = released(api, "bbbbbbbb")
    hour_ago = timezone.now() - timedelta(hours=1)
    Deployment.objects.filter(pk=live.pk).update(created_at=hour_ago, finished_at=hour_ago, commit_sha="b" * 40)
    Deployment.objects.exclude(pk=live.pk).update(commit_sha="a" * 40, created_at=hour_ago - timedelta(days=1))
    answers = [said(json.dumps({"status": "ok", "version": written}).encode())] * 3

    assert probe(api, *answers).health == "unhealthy"


@pytest.mark.parametrize(
    ("version", "known"), [("ddddddd", False), ("d" * 40, False), ("20261201", True), ("deadbeat", True), ("1.2", True)]
)
def test_a_commit_that_no_deploy_is_known_to_be_says_nothing_of_the_release(
    api: Service, version: str, known: bool
) -> None:
    live = released(api, "bbbbbbbb")

    seen = probe(api, *[said(json.dumps({"status": "ok", "version": version}).encode())] * 3)

    live.refresh_from_db()
    assert (live.found_healthy_at is not None, seen.doubt == "") == (known, known)


@pytest.mark.parametrize("status", [200, 502])
def test_what_a_cache_answers_is_no_word_of_the_service(api: Service, status: int) -> None:
    seen = probe(api, *[replace(said(FINE if status == 200 else b"", status), cached_seconds=1)] * 3)

    assert (seen.health, seen.doubt) == ("healthy", f"HTTP {status} of a cache, 1 second old: it may be down behind it")


def test_a_version_that_render_does_not_show_as_live_yet_is_no_alarm(api: Service) -> None:
    live = released(api, "bbbbbbbb")
    hour_ago = timezone.now() - timedelta(hours=1)
    Deployment.objects.filter(pk=live.pk).update(created_at=hour_ago, finished_at=hour_ago)
    coming = {"render_id": "dep-coming", "status": "build_in_progress", "commit_sha": "c" * 40}
    Deployment.objects.create(service=api, created_at=timezone.now(), **coming)

    seen = probe(api, *[said(b'{"status":"ok","version":"ccccccc"}')] * 3)

    assert seen.health == "healthy"


def test_one_that_is_suspended_is_on_the_home_page(api: Service, rf: RequestFactory) -> None:
    place = api.environment
    suspended = {"type": "web_service", "suspended": True, "suspenders": "billing"}
    Service.objects.create(render_id="srv-2", name="web", environment=place, **suspended)

    panel = home.health(rf.get("/"))

    assert (panel.answer, panel.tone, panel.badge, panel.detail) == ("Suspended", "bad", "web", "by billing")


def test_what_one_answer_breaks_leaves_the_others_judged(api: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    others = [Service.objects.create(render_id=f"srv-{n}", name=f"api-{n}", type="web_service") for n in (2, 3)]
    Service.objects.update(url="http://127.0.0.1:9", health_check_path="/health", probed_at=None)
    monkeypatch.setattr(probing, "fetch_health", lambda url: said(FINE))
    real = probing.assess

    def broken(answer: HealthResponse, count: list[int] = [0]) -> Any:  # noqa: B006
        count[0] += 1
        return real(answer) if count[0] > 1 else 1 / 0

    monkeypatch.setattr(probing, "assess", broken)

    with pytest.raises(SomeFailed, match="the health of api"):
        jobs.probe_health()

    assert HealthCheck.objects.count() == len(others)


@pytest.mark.parametrize(("image", "asked"), [("shop:2", True), ("shop:1", False)])
def test_a_release_of_an_image_is_taken_back_to_another_image(
    api: Service, monkeypatch: pytest.MonkeyPatch, image: str, asked: bool
) -> None:
    """It has no commit, as none before it has."""
    Deployment.objects.update(commit_sha="", image="shop:1")

    assert tried(api, monkeypatch, [said(SICK)] * 3, commit_sha="", image=image) is asked
