"""What time does: re-send lost messages, expire old requests and run the periodic jobs once each."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q

from ledger.authenticity import may_sign
from operations.accounts import SYSTEM
from operations.engine.deciding import places_of
from operations.engine.request import record_about
from operations.engine.wakeup import wake
from operations.models import Heartbeat, Operation, Status
from operations.models.operation import database_now
from operations.notify import alarm
from operations.periodic import calls
from operations.periodic.clock import MOST_SKEW_SECONDS, database_time, skew_seconds
from operations.periodic.isolation import Failed, each, one_by_one, tell
from operations.votes.judge import has_votes
from providers.redact import redact

logger = logging.getLogger("operations.tick")
DOCTOR = "/admin/doctor/"
WOKEN_AT_ONCE = 200
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Job:
    name: str
    seconds: float
    run: Callable[[], object]
    able: Callable[[], bool] = lambda: True


_jobs: dict[str, Job] = {}


def every(name: str, seconds: float, run: Callable[[], object], able: Callable[[], bool] = Job.able) -> None:
    """Register a periodic job; however many tickers there are, it runs about once per `seconds`.

    `able`: whether this process can do it; one that lacks a key leaves the turn to one that has it.
    """
    _jobs[name] = Job(name, seconds, run, able)


def hasten(name: str) -> None:
    """Let the job run in the next round, whenever it ran last: a page asked for what it reads."""
    Heartbeat.objects.filter(name=f"job:{name}").update(beat_at=NEVER)


def tick(run: Callable[[Job], object] | None = None) -> int:
    """One round; how many operations were woken. `run` takes each job, and may refuse; errors of one stop no other.

    A process without AUTHORITY_KEY only wakes: duties write what votes rest on.
    """
    if not may_sign():
        return wake_due()
    Heartbeat.objects.update_or_create(name="tick", defaults={"beat_at": database_time()})
    woken, failed = 0, Failed()
    for name, part in (("clock", notice_clock), ("calls", calls.keep)):
        with each(name, failed):
            part()
    with each("lost messages", failed):
        woken = wake_due()
    for job in list(_jobs.values()):
        with each(f"job {job.name}", failed):
            (run or run_job)(job)
    tell(failed)
    return woken


def notice_clock() -> None:
    """A clock that is wrong here is told once; what is due is measured by the database's."""
    skew, host = skew_seconds(), socket.gethostname()
    wrong = abs(skew) > MOST_SKEW_SECONDS
    if wrong or Heartbeat.objects.filter(name=f"alarm:clock of {host}"[:120]).exists():
        body = f"{skew:+.0f} s from the database's. Schedules go by the database's; switch NTP on."
        alarm(f"clock of {host}", wrong, subject=f"The clock of {host} is wrong", body=body, path=DOCTOR)


def wake_due() -> int:
    """Send a message for everything due and unleased that was not woken lately; who waited longest for one first."""
    stale = database_now(-settings.OPS_REWAKE_SECONDS)
    due = Operation.objects.due().filter(Q(woken_at=None) | Q(woken_at__lt=stale))
    return len(
        one_by_one(
            due.order_by(F("woken_at").asc(nulls_first=True), "requested_at")[:WOKEN_AT_ONCE], transaction.atomic(wake)
        )
    )


def expire_old_requests() -> None:
    """End requests that nobody approved in time."""
    old = Operation.objects.filter(status=Status.AWAITING_APPROVAL, expires_at__lt=database_now())
    one_by_one(old.select_related("environment")[:200], _expire)


@transaction.atomic
def _expire(operation: Operation) -> None:
    ended = {"ended_at": database_time(), "error": "Nobody approved it in time. Request it again.", "sealed": ""}
    if Operation.objects.advance(operation.pk, Status.AWAITING_APPROVAL, Status.EXPIRED, **ended):
        record_about(operation, "operations.expired", actor=SYSTEM)


def return_lapsed_break_glass() -> None:
    """A break-glass that no worker claimed within its window waits for votes again (or has expired by now)."""
    lapsed = Operation.objects.filter(status=Status.QUEUED, break_glass_until__lt=database_now(), seeded=False)
    one_by_one(lapsed.select_related("environment")[:200], _return)


@transaction.atomic
def _return(operation: Operation) -> None:
    if has_votes(operation, places_of(operation)):
        return
    if Operation.objects.advance(operation.pk, Status.QUEUED, Status.AWAITING_APPROVAL, due_at=None):
        record_about(operation, "operations.break_glass_lapsed", actor=SYSTEM)


def overdue_always_steps() -> list[str]:
    """Operations whose outcome is decided, whose always-steps are due, while no worker shows a sign of life."""
    fresh = database_now(-3 * settings.OPS_CANARY_SECONDS)
    if Heartbeat.objects.filter(name__startswith="worker:", beat_at__gt=fresh).exists():
        return []
    return list(Operation.objects.due().exclude(outcome="").values_list("pk", flat=True)[:50])


def run_job(job: Job) -> None:
    """Run one job here, if this ticker wins its slot."""
    if claim(job):
        perform(job)


def claim(job: Job) -> bool:
    """Whether this ticker won the slot, by the database's clock; a beat of the future is a wrong clock's."""
    if not job.able():
        return False
    row = Heartbeat.objects.filter(name=f"job:{job.name}")
    due = row.filter(Q(beat_at__lte=database_now(-job.seconds)) | Q(beat_at__gt=database_now(MOST_SKEW_SECONDS)))
    if due.update(beat_at=database_now()):
        return True
    if row.exists():
        return False
    Heartbeat.objects.bulk_create([Heartbeat(name=f"job:{job.name}", beat_at=NEVER)], ignore_conflicts=True)
    return due.update(beat_at=database_now()) == 1


def perform(job: Job) -> None:
    """Run it and keep how that went; what it raises is told once, and stops nothing else."""
    began, error = time.monotonic(), ""
    try:
        job.run()
    except Exception as raised:
        logger.exception("periodic job %s failed", job.name)
        error = redact(f"{type(raised).__name__}: {raised}")[:500]
        if isinstance(raised, OperationalError | InterfaceError) and not connection.in_atomic_block:
            connection.close()
    try:
        _keep(job, round(time.monotonic() - began, 2), error)
    except DatabaseError as lost:
        logger.warning("how periodic job %s went could not be kept: %s", job.name, lost)


@transaction.atomic
def _keep(job: Job, seconds: float, error: str) -> None:
    kept = Heartbeat.objects.select_for_update()
    row, _ = kept.get_or_create(name=f"job:{job.name}", defaults={"beat_at": database_time()})
    failed_before = row.detail.get("failed", 0)
    ran = {"ended_at": database_time().isoformat(), "seconds": seconds, "by": os.environ.get("OPS_WORKER_ID", "")}
    row.detail = ran | {"error": error, "failed": failed_before + 1 if error else 0}
    row.save(update_fields=["detail"])
    if error or failed_before:
        body = f"{error} The others go on. It is tried again every {job.seconds:g} s."
        alarm(f"job {job.name}", bool(error), subject=f"Periodic job {job.name} fails", body=body, path=DOCTOR)
