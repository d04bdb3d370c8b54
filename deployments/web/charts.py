"""Render's metrics and our probes as the shared charts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from django.utils.safestring import SafeString

from deployments.models import HealthCheck
from operations.web.charts import Point, Slot, sparkline, strip
from providers.render import Series

MAX_POINTS = 60
NAMES = {
    "cpu": ("CPU", "cores", 1.0),
    "memory": ("Memory", "MB", 1e-6),
    "http-requests": ("Requests", "a minute", 1.0),
    "http-latency": ("Latency", "ms", 1.0),
}


def metric(name: str, series: Sequence[Series], deploys: Sequence[datetime | None]) -> SafeString:
    """One line; points within three minutes after a deploy are marked."""
    title, unit, factor = NAMES[name]
    points = thin([point for line in series[:1] for point in line.points])
    drawn = [
        Point(f"{at.astimezone(UTC):%d %b %H:%M}", round(value * factor, 3), "run" if _after(at, deploys) else "")
        for at, value in points
    ]
    newest = f"{drawn[-1].value:,.4g} {unit} now" if drawn else "no data"
    return sparkline(drawn, title, f"{newest}; dots follow a deploy.", unit)


def thin(points: Sequence[tuple[datetime, float]]) -> list[tuple[datetime, float]]:
    """At most 60 of the points, evenly."""
    step = max(len(points) // MAX_POINTS, 1)
    return list(points[::step])


def _after(at: datetime, deploys: Sequence[datetime | None]) -> bool:
    return any(deploy is not None and 0 <= (at - deploy).total_seconds() <= 180 for deploy in deploys)


def health_strip(checks: Sequence[HealthCheck]) -> SafeString:
    """The newest probes, oldest first."""
    slots = [
        Slot(
            f"{check.checked_at.astimezone(UTC):%d %b %H:%M:%S}, {check.latency_ms} ms",
            "healthy" if check.healthy else check.detail or "unhealthy",
            "ok" if check.healthy else "bad",
        )
        for check in reversed(checks)
    ]
    good = sum(check.healthy for check in checks)
    return strip(slots, "Health probes", f"{good} of {len(checks)} probes good, by status and body.")
