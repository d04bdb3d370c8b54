"""How a team delivers, by the four figures of DORA (https://dora.dev/guides/dora-metrics/), from our own rows alone.

In: an environment and a span. Out: deploys that went live, each with its lead time, whether it failed and when that
was over; and the figures, which say of how many deploys they are and are none below five.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from statistics import median

from django.db.models import Exists, OuterRef

from deployments.models import Deployment
from deployments.models.deployment import WAS_LIVE
from operations.models import Environment

DAYS = 90
LEAST = 5
ROLLBACK = "rollback"
MOST_COUNTED = 5_000
COUNTED = (
    *("service_id", "created_at", "render_id", "trigger", "commit_sha"),
    *("commit_at", "finished_at", "health", "found_healthy_at"),
)


@dataclass(frozen=True)
class Shipped:
    """One deploy that went live and was no rollback. `failed`: why it counts as failed; `over_at`: when a release was
    next seen healthy; `unclear`: something went live since, and nobody knows how that was."""

    deployment: Deployment
    at: datetime
    lead: timedelta | None
    failed: str
    over_at: datetime | None
    unclear: bool = False

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
    unclear: int = 0


def shipped(environment: Environment, since: datetime, until: datetime) -> tuple[list[Shipped], datetime]:
    """What went live in the span, service by service, oldest first, and since when that is all.

    Where more went live than are counted, the newest so many. The demo's story counts in the demo.
    """
    live = Deployment.objects.filter(service__environment=environment, status__in=WAS_LIVE)
    rows = live.filter(created_at__gte=since, finished_at__isnull=False, finished_at__lte=until).only(*COUNTED)
    same = {
        "service": OuterRef("service"),
        "commit_sha": OuterRef("commit_sha"),
        "created_at__lt": OuterRef("created_at"),
    }
    newest = list(rows.annotate(again=Exists(live.filter(**same))).order_by("-created_at")[:MOST_COUNTED])
    if len(newest) == MOST_COUNTED:
        since = newest[-1].created_at
    found = []
    for _, own in groupby(sorted(newest, key=_in_order), key=lambda row: row.service_id):
        found += _of_a_service(list(own))
    return found, since


def _in_order(row: Deployment) -> tuple[int, datetime | None, int]:
    return row.service_id, row.finished_at, row.pk


def _of_a_service(rows: list[Deployment]) -> list[Shipped]:
    """Read from the newest back: what came later says whether a deploy failed, and when that was over.

    A commit that was live before, `again`, has no lead time, nor one that says it was written later than it was live.
    """
    good_at: datetime | None = None
    found, later, unknown = [], "", False
    for row in reversed(rows):
        if row.trigger != ROLLBACK and row.finished_at is not None:
            told = row.commit_at and not row.again and row.commit_at <= row.finished_at  # type: ignore[attr-defined]
            lead = row.finished_at - row.commit_at if told else None  # type: ignore[operator]
            failed = _why_failed(row, later)
            open_now = bool(failed) and good_at is None
            over_at = good_at if failed else None
            found.append(Shipped(row, row.finished_at, lead, failed, over_at, open_now and unknown))
        good_at, unknown = _seen_healthy(row) or good_at, unknown or not row.health
        later = row.trigger
    return found[::-1]


def _seen_healthy(row: Deployment) -> datetime | None:
    """When it was live and well by what a probe saw; one that nobody probed ends no failure."""
    if row.finished_at is None or not (row.found_healthy_at or row.health == Deployment.Health.HEALTHY):
        return None
    return max(row.finished_at, row.found_healthy_at or row.finished_at)


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
        sum(row.unclear for row in rows),
    )
