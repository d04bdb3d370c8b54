"""The periodic jobs as they ran: when, how long, where, and what is late or fails. In: heartbeats. Out: rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from operations.engine import tick
from operations.models import Heartbeat
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
        """Whether it began too long ago, or never."""
        return self.seconds_ago is None or self.seconds_ago > 2 * self.every_seconds + LATE_SECONDS


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
