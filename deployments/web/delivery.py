"""The four figures of delivery on an environment's page, and the deploys that they were counted from as CSV."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from math import ceil

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone

from deployments.delivery import DAYS, LEAST, Figures, figures, shipped
from deployments.models import Service
from ledger.export import safe_cell
from operations.models import Environment
from operations.web.formatting import duration

COLUMNS = ("service", "deploy", "commit", "live_at", "lead_seconds", "failed", "over_at", "restore_seconds")
FEW = f"too few (under {LEAST})"


def span() -> tuple[datetime, datetime]:
    """The last 90 days."""
    now = timezone.now()
    return now - timedelta(days=DAYS), now


def delivery(environment: Environment) -> dict[str, object]:
    """What the page says: each figure with what it was counted from."""
    since, until = span()
    rows, since = shipped(environment, since, until)
    days = ceil((until - since) / timedelta(days=1))
    return {"delivery": lines(figures(rows, since, until)), "delivery_since": since, "delivery_days": days}


def lines(counted: Figures) -> list[tuple[str, str, str]]:
    """Name, value, how it was counted."""
    rate = FEW if counted.failure_rate is None else f"{counted.failure_rate:.0%}"
    still = counted.failed - counted.over - counted.unclear
    open_ones = f"; {still} still to be restored" if still else ""
    if counted.unclear:
        open_ones += f"; {counted.unclear} followed only by releases that nobody saw healthy"
    return [
        ("Deployment frequency", f"{counted.a_week:g} a week", f"{counted.deploys} went live, rollbacks not counted"),
        ("Lead time", _time(counted.lead), f"median from commit to live, of {counted.with_commit}"),
        ("Change failure rate", rate, f"{counted.failed} of {counted.deploys} rolled back or unhealthy"),
        ("Time to restore", _time(counted.restore), f"median to the next good deploy, of {counted.over}{open_ones}"),
    ]


def _time(seconds: float | None) -> str:
    return FEW if seconds is None else duration(seconds)


@permission_required("deployments.view_deployment", raise_exception=True)
def as_csv(request: HttpRequest, slug: str) -> HttpResponse:
    """A line for each deploy that went live in the span and was no rollback."""
    environment = get_object_or_404(Environment, slug=slug)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="delivery-{environment.slug}.csv"'
    writer = csv.writer(answer)
    writer.writerow(COLUMNS)
    names = dict(Service.objects.filter(environment=environment).values_list("pk", "name"))
    for one in shipped(environment, *span())[0]:
        row, over = one.deployment, one.over_at
        writer.writerow(
            [
                *(safe_cell(text) for text in (names[row.service_id], row.render_id, row.commit_sha)),
                one.at.isoformat(timespec="seconds"),
                int(one.lead.total_seconds()) if one.lead is not None else "",
                one.failed,
                over.isoformat(timespec="seconds") if over else "",
                int(one.restored.total_seconds()) if one.restored is not None else "",
            ]
        )
    return answer
