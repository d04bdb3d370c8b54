"""The periodic jobs: which ran when, how long, where, and what is late or fails. In: heartbeats. Out: rows, checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from operations.doctor import Check, register
from operations.engine import tick
from operations.models import Environment, Heartbeat
from operations.periodic.clock import database_time

LATE_SECONDS = 300.0


@dataclass(frozen=True)
class Duty:
    """One periodic job. `seconds_ago` is since its last start, None where it never began."""

    name: str
    every_seconds: float
    began_at: datetime | None
    seconds_ago: float | None
    took_seconds: float | None
    by: str
    error: str

    @property
    def is_late(self) -> bool:
        return self.seconds_ago is not None and self.seconds_ago > 2 * self.every_seconds + LATE_SECONDS


def duties() -> list[Duty]:
    """Every registered job, by name."""
    now = database_time()
    beats = {row.name: row for row in Heartbeat.objects.filter(name__startswith="job:")}
    return [_duty(job, beats.get(f"job:{name}"), now) for name, job in sorted(tick._jobs.items())]


def _duty(job: tick.Job, beat: Heartbeat | None, now: datetime) -> Duty:
    began = beat.beat_at if beat and beat.beat_at > tick.NEVER else None
    detail = beat.detail if beat else {}
    return Duty(
        name=job.name,
        every_seconds=job.seconds,
        began_at=began,
        seconds_ago=(now - began).total_seconds() if began else None,
        took_seconds=detail.get("seconds"),
        by=detail.get("by", ""),
        error=detail.get("error", ""),
    )


@register
def periodic_jobs(environment: Environment | None) -> Iterator[Check]:
    """One line for each job that fails or is late, else one for all."""
    if environment is not None:
        return
    rows = duties()
    why = "What time does, nobody else does."
    for duty in rows:
        if duty.error:
            yield Check(f"job {duty.name}", "bad", duty.error, why, "Read the worker's log; it is tried again.")
        elif duty.is_late:
            found = f"began {duty.seconds_ago:.0f} s ago, every {duty.every_seconds:g} s"
            yield Check(f"job {duty.name}", "warn", found, why, "It hangs or no worker ticks; start the worker anew.")
    well = sum(not duty.error and not duty.is_late for duty in rows)
    yield Check("periodic jobs", "ok", f"{well} of {len(rows)} run in time", why)


@register
def clocks(environment: Environment | None) -> Iterator[Check]:
    """Machines that told of a wrong clock."""
    for row in Heartbeat.objects.filter(name__startswith="alarm:clock of ", detail__bad=True):
        name = row.name.removeprefix("alarm:")
        yield Check(name, "bad", "differs from the database's", "Codes and signatures fail.", "Switch NTP on there.")
