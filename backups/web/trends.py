"""Charts over the last runs: stored size, duration of the copy, measured restore time. Outliers carry a dot."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from django.utils.safestring import SafeString

from backups.models import Policy, Run
from backups.web import calendar
from operations.web.charts import Point, sparkline

SHOWN = 30
OUTLIER = 2.0


def points(runs: Sequence[Run], values: Sequence[float]) -> list[Point]:
    """One point a run, oldest first; twice or half the median is marked."""
    middle = median(values) if values else 0
    return [
        Point(f"{run.started_at:%Y-%m-%d %H:%M}", value, "bad" if _outlier(value, middle) else "")
        for run, value in zip(runs, values, strict=True)
    ]


def _outlier(value: float, middle: float) -> bool:
    return middle > 0 and (value > middle * OUTLIER or value < middle / OUTLIER)


def context() -> dict[str, Any]:
    """What the list of runs shows above itself, and the policy it is about."""
    newest = Run.objects.counting().filter(policy__name="audit-trail").select_related("policy__environment")
    runs = list(newest.order_by("-proven_at")[:SHOWN])[::-1]
    policy = _main_policy(runs)
    calendars = calendar.calendars([policy]) if policy and policy.cron else []
    return {"trends": charts(runs), "calendars": calendars, "export_policy": policy}


def _main_policy(runs: Sequence[Run]) -> Policy | None:
    """The built-in policy of the protected environment; asked for only where the runs do not name it."""
    policy = runs[-1].policy if runs else None
    if policy and policy.built_in and policy.enabled and policy.environment.protected:
        return policy
    rows = Policy.objects.filter(built_in=True, enabled=True).select_related("environment")
    return rows.order_by("-environment__protected", "name").first()


def charts(runs: Sequence[Run]) -> list[SafeString]:
    """Three charts of the audit trail's newest proven runs, oldest first."""
    if len(runs) < 2:
        return []
    about = f"the last {len(runs)} proven runs of the audit trail"
    return [
        sparkline(
            points(runs, [run.stored_bytes / 1e6 for run in runs]), "Stored size", f"Stored size of {about}, MB.", "MB"
        ),
        sparkline(points(runs, [run.copy_seconds or 0 for run in runs]), "Copy", f"Seconds to copy, {about}.", "s"),
        sparkline(
            points(runs, [run.proof_seconds or 0 for run in runs]),
            "Restore (RTO)",
            f"Seconds to restore and compare, {about}.",
            "s",
        ),
    ]
