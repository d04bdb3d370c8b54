"""The charts of the home page: the audit trail's last thirty runs, and how many rows its proven runs held.

In: the newest runs, asked once a request. Out: `Widget`s with server-drawn SVG. A seeded run is drawn, never counted.
"""

from __future__ import annotations

from collections import Counter

from django.http import HttpRequest

from backups.builtin import AUDIT_TRAIL
from backups.models import Run
from backups.models.run import RunStatus
from operations.home_panels import Widget, register_widget
from operations.web import formatting
from operations.web.charts import Point, Slot, sparkline, strip

SHOWN = 30


def last_runs(request: HttpRequest) -> Widget | None:
    """A box a run, oldest first."""
    runs = recent_runs(request)
    if not runs:
        return None
    counted = ", ".join(f"{n} {status}" for status, n in Counter(run.status for run in runs).most_common())
    boxes = [Slot(f"{run.started_at:%Y-%m-%d %H:%M}", run.status) for run in runs]
    title = f"Backups, last {len(runs)} runs" if len(runs) > 1 else "Backups"
    return Widget(title, strip(boxes, f"Runs of {AUDIT_TRAIL}", counted))


def audit_rows(request: HttpRequest) -> Widget | None:
    """Rows of the proven runs as a line."""
    runs = [run for run in recent_runs(request) if run.status == RunStatus.PROVEN]
    if len(runs) < 2:
        return None
    newest = runs[-1]
    proof = f", proof {formatting.duration(newest.proof_seconds)}" if newest.proof_seconds else ""
    about = f"{formatting.number(newest.rows)} rows; backup {formatting.size(newest.stored_bytes)}{proof}"
    points = [Point(f"{run.started_at:%Y-%m-%d %H:%M}", run.rows) for run in runs]
    return Widget("Rows in proven backups", sparkline(points, "Rows over time", about, "rows"))


def recent_runs(request: HttpRequest) -> list[Run]:
    """The newest runs of the audit trail of one environment, a protected one first; oldest first, asked once."""
    if not request.user.has_perm("backups.view_run"):
        return []
    known = getattr(request, "recent_runs", None)
    if known is None:
        rows = Run.objects.filter(policy__name=AUDIT_TRAIL).select_related("policy__environment", "operation")
        newest = list(rows.order_by("-policy__environment__protected", "-started_at")[:SHOWN])
        known = [run for run in newest if run.policy_id == newest[0].policy_id][::-1]
        request.recent_runs = known  # type: ignore[attr-defined]
    return known


def register_widgets() -> None:
    """Add both to the right column of the home page."""
    register_widget(10, last_runs)
    register_widget(20, audit_rows)
