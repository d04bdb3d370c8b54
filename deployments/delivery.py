"""How a team delivers, by the four figures of DORA (https://dora.dev/guides/dora-metrics/), from our own rows alone.

In: an environment and a span. Out: deploys that went live, each with its lead time, whether it failed and when that
was over; and the figures, which say of how many deploys they are and are none below five.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from statistics import median

from deployments.models import Deployment, Service
from deployments.models.deployment import WAS_LIVE
from operations.models import Environment

DAYS = 90
LEAST = 5
ROLLBACK = "rollback"
COUNTED = ("service_id", "render_id", "trigger", "commit_sha", "commit_at", "finished_at", "health")


@dataclass(frozen=True)
class Shipped:
    """One deploy that went live and was no rollback. `failed`: why it counts as failed; `over_at`: when it was past."""

    deployment: Deployment
    at: datetime
    lead: timedelta | None
    failed: str
    over_at: datetime | None

    @property
    def restored(self) -> timedelta | None:
        return self.over_at - self.at if self.over_at else None


@dataclass(frozen=True)
class Figures:
    """None: fewer than five to count. Times are medians, in seconds."""

    since: datetime
    until: datetime
    deploys: int
    a_week: float
    with_commit: int
    lead: float | None
    failed: int
    failure_rate: float | None
    over: int
    restore: float | None


def shipped(environment: Environment, since: datetime, until: datetime) -> list[Shipped]:
    """What went live in the span, service by service, oldest first; the demo's story counts in the demo."""
    rows = Deployment.objects.filter(service__environment=environment, status__in=WAS_LIVE, created_at__gte=since)
    rows = rows.filter(finished_at__isnull=False, finished_at__lte=until).only(*COUNTED)
    services = Service.objects.only("name").in_bulk(rows.order_by().values_list("service", flat=True).distinct())
    commits = rows.order_by().exclude(commit_sha="").values_list("commit_sha", flat=True)
    before = Deployment.objects.filter(service__environment=environment, status__in=WAS_LIVE, created_at__lt=since)
    shipped_before = set(before.filter(commit_sha__in=commits).values_list("service_id", "commit_sha").distinct())
    found = []
    for number, own in groupby(rows.order_by("service_id", "finished_at", "pk"), key=lambda row: row.service_id):
        old = {sha for service, sha in shipped_before if service == number}
        found += _of_a_service(services[number], list(own), old)
    return found


def _of_a_service(service: Service, rows: list[Deployment], old: set[str]) -> list[Shipped]:
    """Read from the newest back: what came later says whether a deploy failed, and when that was over.

    `old`: commits that went live before the span; another deploy of one has no lead time.
    """
    firsts: dict[str, int] = dict.fromkeys(old, 0)
    for row in rows:
        if row.trigger != ROLLBACK:
            firsts.setdefault(row.commit_sha, row.pk)
    found, later, good_at = [], "", None
    for row in reversed(rows):
        row.service = service
        if row.trigger != ROLLBACK and row.finished_at is not None:
            failed = _why_failed(row, later)
            lead = row.finished_at - row.commit_at if row.commit_at and firsts[row.commit_sha] == row.pk else None
            found.append(Shipped(row, row.finished_at, lead, failed, good_at if failed else None))
        if row.health != Deployment.Health.UNHEALTHY:
            good_at = row.finished_at
        later = row.trigger
    return found[::-1]


def _why_failed(row: Deployment, later: str) -> str:
    """It was rolled back before anything else went live, or it was found unhealthy. A build that failed changed
    nothing for anybody and does not count. `later`: the trigger of the next one."""
    if later == ROLLBACK:
        return "rolled back"
    return "unhealthy" if row.health == Deployment.Health.UNHEALTHY else ""


def figures(rows: list[Shipped], since: datetime, until: datetime) -> Figures:
    leads = [row.lead.total_seconds() for row in rows if row.lead is not None]
    failed = [row for row in rows if row.failed]
    times = [row.restored.total_seconds() for row in failed if row.restored is not None]
    weeks = max((until - since) / timedelta(weeks=1), 1)
    return Figures(
        since,
        until,
        len(rows),
        round(len(rows) / weeks, 1),
        len(leads),
        median(leads) if len(leads) >= LEAST else None,
        len(failed),
        len(failed) / len(rows) if len(rows) >= LEAST else None,
        len(times),
        median(times) if len(times) >= LEAST else None,
    )
