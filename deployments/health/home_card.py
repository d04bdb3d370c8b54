"""The home page's answer to "is production healthy?": what is not, then what nobody can tell, then that it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse

from deployments.models import Service
from operations.home_panels import Panel
from operations.web.formatting import relative

LATE = timedelta(minutes=5)
TONES = {"healthy": "ok", "unhealthy": "bad", "unknown": "idle"}


def panel_of(everything: list[Service], configured: bool) -> Panel:
    """Red when a probe says no or a service is suspended; amber when nobody has looked, or not lately, at one of them,
    nobody can tell, or maintenance is on. `configured`: whether Render can be asked."""
    if suspended := [service for service in everything if service.suspended]:
        names = ", ".join(service.name for service in suspended)
        by = suspended[0].suspenders.replace("_", " ")
        return Panel("Health", "Suspended", "bad", names, f"by {by}" if by else "", _environment_url(suspended))
    if troubled := [service for service in everything if service.trouble]:
        since = relative(troubled[0].trouble_since) if troubled[0].trouble_since else ""
        return Panel("Health", troubled[0].trouble, "bad", troubled[0].name, since, _environment_url(troubled))
    services = [service for service in everything if service.health_url and not service.suspended]
    url = _environment_url(services)
    if not services:
        detail = "No production service has a health address yet." if configured else "RENDER_API_KEY is not set."
        return Panel("Health", "Unknown", "warn", detail=detail, url=url)
    bad = [row for row in services if row.health == Service.Health.UNHEALTHY and not row.maintenance]
    if bad:
        since = relative(bad[0].health_since) if bad[0].health_since else ""
        return Panel("Health", "Not healthy", "bad", bad[0].name, f"{bad[0].health_detail} {since}".strip(), url)
    if maintained := [service for service in services if service.maintenance]:
        return Panel("Health", "In maintenance", "warn", ", ".join(s.name for s in maintained), url=url)
    return next(_doubts(everything, url), None) or _healthy(services, url)


def _doubts(everything: list[Service], url: str) -> Iterator[Panel]:
    """Of all, what nobody can tell."""
    for row in everything:
        if row.missing_since:
            yield Panel("Health", "Cannot tell", "warn", row.name, f"not found {relative(row.missing_since)}", url)
        elif row.doubt:
            yield Panel("Health", "Cannot tell", "warn", row.name, row.doubt, url)
        elif row.is_web and not row.health_url:
            yield Panel("Health", "Cannot tell", "warn", row.name, "It has no health address.", url)
        elif row.health_url and is_stale(row.probed_at, row.asked_at, settings.HEALTH_PROBE_SECONDS):  # type: ignore[attr-defined]
            ago = relative(row.probed_at) if row.probed_at else ""
            yield Panel("Health", "Cannot tell", "warn", row.name, f"last probed {ago}", url)


def is_stale(at: datetime | None, now: datetime, every: float) -> bool:
    """Whether what is done every so many seconds was last done long ago."""
    return at is not None and now - at > max(LATE, 10 * timedelta(seconds=every))


def said_of(row: Service, now: datetime) -> tuple[str, str]:
    """What may be said of one service's health, and its tone; a word where it has no health address too. Green is only
    what was probed lately and without a doubt."""
    if row.removed_at:
        return "removed", "idle"
    if row.trouble:
        return row.trouble, "bad"
    if row.missing_since:
        return "cannot tell", "warn"
    if not row.health_url:
        return "no address", "idle"
    if row.suspended or row.maintenance:
        return "not probed", "idle"
    stale = is_stale(row.probed_at, now, settings.HEALTH_PROBE_SECONDS)
    if row.health == Service.Health.HEALTHY and (row.doubt or stale or row.probed_at is None):
        return "cannot tell", "warn"
    return row.health, TONES[row.health]


def _healthy(services: list[Service], url: str) -> Panel:
    service = next((each for each in services if each.health == Service.Health.UNKNOWN), services[0])
    if service.health == Service.Health.UNKNOWN:
        return Panel(
            "Health", "Not probed yet", "warn", service.name, "The first probe runs within half a minute.", url
        )
    badge = f"{service.health_check_path or 'health'} {service.latency_ms} ms"
    return Panel(
        "Health", "Healthy", "ok", badge, f"probed {relative(service.probed_at)}" if service.probed_at else "", url
    )


def _environment_url(services: list[Service]) -> str:
    environment = services[0].environment if services else None
    return reverse("admin:deployments_environment", args=[environment.slug]) if environment else ""
