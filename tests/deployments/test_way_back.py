"""Which version the button *Roll back* offers: the last good one before what is live, never the one that was fled."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from deployments.models import Deployment, Service
from deployments.web.verbs import good_among, last_good
from operations.models import Environment

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("story", "offered"),
    [
        ("a b*", "a"),
        ("a b c*", "b"),
        ("a b! c*", "a"),
        ("a b c r:b*", "a"),
        ("a b r:a*", ""),
        ("a b c r:b d*", "b"),
        ("a b c r:a*", ""),
        ("a b r:a c r:a*", ""),
        ("z a b r:a c r:a*", "z"),
        ("a*", ""),
        ("a b*" + " x" * 100, "a"),
        ("b c r:a*", ""),
    ],
)
def test_the_last_good_one_before_what_is_live(production: Environment, story: str, offered: str) -> None:
    service = Service.objects.create(render_id="srv-1", name="api", environment=production, type="web_service")
    for number, word in enumerate(story.split()):
        Deployment.objects.create(
            service=service,
            render_id=f"dep-{number}",
            status="live" if word.endswith("*") else "build_failed" if word == "x" else "deactivated",
            commit_sha=word.strip("*!").removeprefix("r:") * 40,
            trigger="rollback" if word.startswith("r:") else "api",
            health="unhealthy" if word.endswith("!") else "healthy",
            created_at=timezone.now() - timedelta(hours=200 - number),
        )

    newest_first = list(service.deployments.order_by("-created_at"))
    gone = {"status": "deactivated", "provider_status": "gone", "commit_sha": "9" * 40}
    Deployment.objects.create(service=service, render_id="x", created_at=timezone.now() - timedelta(days=9), **gone)
    found = [last_good(service), good_among(newest_first)]

    assert [row.commit_sha[:1] if row else "" for row in found] == [offered, offered]


def test_a_busy_service_hides_nothing_of_a_quiet_one(production: Environment) -> None:
    busy, quiet = (
        Service.objects.create(render_id=f"srv-{name}", name=name, environment=production, type="web_service")
        for name in ("busy", "quiet")
    )
    now = timezone.now()
    Deployment.objects.create(service=quiet, render_id="old", status="live", created_at=now - timedelta(days=30))
    Deployment.objects.bulk_create(
        Deployment(service=busy, render_id=f"d{n}", status="build_failed", created_at=now - timedelta(minutes=n))
        for n in range(500)
    )

    known = Deployment.objects.newest_of([busy.pk, quiet.pk], 30)

    assert [row.render_id for row in known[quiet.pk]] == ["old"]
    assert [row.render_id for row in known[busy.pk]] == [f"d{n}" for n in range(30)]


def test_where_the_version_went_live_too_long_ago_to_be_known_nothing_is_offered(production: Environment) -> None:
    service = Service.objects.create(render_id="srv-1", name="api", environment=production, type="web_service")
    story = ["z", "a", *["b"] * 70, "a"]
    for number, word in enumerate(story):
        last = number == len(story) - 1
        Deployment.objects.create(
            service=service,
            render_id=f"dep-{number}",
            status="live" if last else "deactivated",
            commit_sha=word * 40,
            trigger="rollback" if last else "api",
            created_at=timezone.now() - timedelta(hours=200 - number),
        )

    assert good_among(Deployment.objects.newest_of([service.pk], 30)[service.pk]) is None
