"""Wherever a service's health is shown: green is only what was probed lately, without a doubt, of whom there is."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deployments.models import Deployment, Service
from operations.models import Environment

pytestmark = pytest.mark.django_db
LONG_AGO = timezone.now() - timedelta(days=2)
GREEN = re.compile(r'<span class="badge ok"><span aria-hidden="true">[^<]*</span>(?:Healthy|12 ms)</span>')
NOT_GREEN: dict[str, dict[str, Any]] = {
    "not probed for days": {"probed_at": LONG_AGO},
    "never probed": {"probed_at": None},
    "in doubt": {"doubt": "HTTP 200, but the body does not say how it is"},
    "suspended": {"suspended": True},
    "in maintenance": {"maintenance": True},
    "not found": {"missing_since": LONG_AGO},
    "in trouble": {"trouble": "Crashed", "trouble_since": LONG_AGO},
    "unhealthy": {"health": "unhealthy"},
    "unknown": {"health": "unknown"},
    "without an address": {"health_check_path": ""},
}


@pytest.fixture
def service(settings: Any) -> Service:
    settings.HEALTH_PROBE_SECONDS = 30
    place = Environment.objects.create(slug="production", name="Production", kind="production")
    row = {"name": "api", "type": "web_service", "environment": place, "url": "https://a.example"}
    seen = {"health_check_path": "/health", "health": "healthy", "probed_at": timezone.now(), "latency_ms": 12}
    return Service.objects.create(render_id="srv-1", **row, **seen)


@pytest.fixture
def pages(service: Service, client: Client) -> dict[str, str]:
    return {
        "list": reverse("admin:deployments_service_changelist"),
        "service": reverse("admin:deployments_service_change", args=[service.pk]),
        "environment": reverse("admin:deployments_environment", args=["production"]),
        "home": "/admin/",
    }


def healthy(client: Client, url: str) -> bool:
    return bool(GREEN.search(re.sub(r"\s+", " ", client.get(url).text)))


@pytest.mark.parametrize("why", ["", *NOT_GREEN])
def test_what_is_not_known_now_is_green_nowhere(
    service: Service, pages: dict[str, str], client: Client, why: str
) -> None:
    client.force_login(User.objects.create_superuser("root", password="x"))
    Service.objects.filter(pk=service.pk).update(**NOT_GREEN.get(why, {}))

    green = {name for name, url in pages.items() if healthy(client, url)}

    assert green == (set() if why else set(pages))


def test_of_two_that_are_live_none_is_shown_as_the_one(service: Service, pages: dict[str, str], client: Client) -> None:
    client.force_login(User.objects.create_superuser("root", password="x"))
    for number in (1, 2):
        row = {"render_id": f"dep-{number}", "status": "live", "created_at": timezone.now()}
        Deployment.objects.create(service=service, commit_sha=str(number) * 40, **row)

    assert "Several" in client.get(pages["list"]).text
    assert "Several live" in client.get(pages["environment"]).text
    assert "Several live" in client.get(pages["home"]).text
