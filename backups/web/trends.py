"""Charts over the last runs: stored size, duration of the copy, measured restore time. Outliers carry a dot."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from django.utils.safestring import SafeString

from backups.models import Run
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


def charts() -> list[SafeString]:
    """Three charts of the audit trail's newest proven runs, from one query."""
    newest = Run.objects.counting().filter(policy__name="audit-trail").order_by("-proven_at")[:SHOWN]
    runs = list(newest)[::-1]
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
