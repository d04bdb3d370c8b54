"""What time does: re-send lost messages, expire old requests and run the periodic jobs once each."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from operations.accounts import SYSTEM
from operations.engine.deciding import places_of
from operations.engine.request import record_about
from operations.engine.sealing import erase_old
from operations.engine.wakeup import wake
from operations.models import Heartbeat, Operation, Status
from operations.votes.judge import has_votes

logger = logging.getLogger("operations.tick")


@dataclass(frozen=True)
class Job:
    name: str
    seconds: float
    run: Callable[[], object]


_jobs: dict[str, Job] = {}


def every(name: str, seconds: float, run: Callable[[], object]) -> None:
    """Register a periodic job; however many tickers there are, it runs about once per `seconds`."""
    _jobs[name] = Job(name, seconds, run)


def hasten(name: str) -> None:
    """Let the job run in the next round, whenever it ran last: a page asked for what it reads."""
    Heartbeat.objects.filter(name=f"job:{name}").update(beat_at=datetime.min.replace(tzinfo=UTC))


def tick() -> int:
    """One round; how many operations were woken. Errors of one job never stop the others."""
    Heartbeat.objects.update_or_create(name="tick", defaults={"beat_at": timezone.now()})
    expire_old_requests()
    return_lapsed_break_glass()
    erase_old()
    woken = wake_due()
    for job in list(_jobs.values()):
        run_job(job)
    return woken


def wake_due() -> int:
    """Send a message for everything due and unleased that was not woken lately."""
    stale = timezone.now() - timedelta(seconds=settings.OPS_REWAKE_SECONDS)
    due = Operation.objects.due().filter(Q(woken_at=None) | Q(woken_at__lt=stale))
    operations = list(due.order_by("requested_at")[:200])
    for operation in operations:
        with transaction.atomic():
            wake(operation)
    return len(operations)


def expire_old_requests() -> None:
    """End requests that nobody approved in time."""
    old = Operation.objects.filter(status=Status.AWAITING_APPROVAL, expires_at__lt=timezone.now())
    for operation in old.select_related("environment")[:200]:
        with transaction.atomic():
            ended = {"ended_at": timezone.now(), "error": "Nobody approved it in time. Request it again.", "sealed": ""}
            if Operation.objects.advance(operation.pk, Status.AWAITING_APPROVAL, Status.EXPIRED, **ended):
                record_about(operation, "operations.expired", actor=SYSTEM)


def return_lapsed_break_glass() -> None:
    """A break-glass that no worker claimed within its window waits for votes again (or has expired by now)."""
    lapsed = Operation.objects.filter(status=Status.QUEUED, break_glass_until__lt=timezone.now(), seeded=False)
    for operation in lapsed.select_related("environment")[:200]:
        with transaction.atomic():
            if has_votes(operation, places_of(operation)):
                continue
            if Operation.objects.advance(operation.pk, Status.QUEUED, Status.AWAITING_APPROVAL, due_at=None):
                record_about(operation, "operations.break_glass_lapsed", actor=SYSTEM)


def overdue_always_steps() -> list[str]:
    """Operations whose outcome is decided, whose always-steps are due, while no worker shows a sign of life."""
    fresh = timezone.now() - timedelta(seconds=3 * settings.OPS_CANARY_SECONDS)
    if Heartbeat.objects.filter(name__startswith="worker:", beat_at__gt=fresh).exists():
        return []
    return list(Operation.objects.due().exclude(outcome="").values_list("pk", flat=True)[:50])


def run_job(job: Job) -> None:
    """Run one job if this ticker wins its slot."""
    now = timezone.now()
    _, created = Heartbeat.objects.get_or_create(name=f"job:{job.name}", defaults={"beat_at": now})
    due = Heartbeat.objects.filter(name=f"job:{job.name}", beat_at__lte=now - timedelta(seconds=job.seconds))
    if not created and not due.update(beat_at=now):
        return
    try:
        job.run()
    except Exception:
        logger.exception("periodic job %s failed", job.name)
