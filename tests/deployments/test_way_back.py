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
    ],
)
def test_the_last_good_one_before_what_is_live(production: Environment, story: str, offered: str) -> None:
    service = Service.objects.create(render_id="srv-1", name="api", environment=production, type="web_service")
    for number, word in enumerate(story.split()):
        Deployment.objects.create(
            service=service,
            render_id=f"dep-{number}",
            status="live" if word.endswith("*") else "deactivated",
            commit_sha=word.strip("*!").removeprefix("r:") * 40,
            trigger="rollback" if word.startswith("r:") else "api",
            health="unhealthy" if word.endswith("!") else "healthy",
            created_at=timezone.now() - timedelta(hours=50 - number),
        )

    newest_first = list(service.deployments.order_by("-created_at"))
    found = [last_good(service), good_among(newest_first)]

    assert [row.commit_sha[:1] if row else "" for row in found] == [offered, offered]
