"""What retention speaks about: a policy's rule, facts about runs, two clocks, the plan that follows. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

TOMBSTONE = timedelta(days=7)
BROUGHT_BACK = timedelta(days=30)
QUIET = timedelta(days=14)
SKEW = timedelta(minutes=2)


@dataclass(frozen=True)
class Fact:
    """One stored run. `at` is its snapshot's time; `altered`: an open incident shows it; `busy`: somebody reads it.

    Of a restore point: `ended_at` is when its operation did; `newest`: no other of its environment is younger.
    """

    run: str
    at: datetime
    proven: bool
    present: bool = True
    held: bool = False
    altered: bool = False
    busy: bool = False
    retained_until: datetime | None = None
    brought_back_at: datetime | None = None
    retired_at: datetime | None = None
    purging: bool = False
    purged: bool = False
    ended_at: datetime | None = None
    newest: bool = False

    @property
    def counts(self) -> bool:
        """Whether it may be relied on."""
        return self.proven and self.present and not self.purging and not self.purged


@dataclass(frozen=True)
class Clock:
    here: datetime
    database: datetime


@dataclass(frozen=True)
class Line:
    """`verdict`: keep, retire (unwanted), retired (data still there), retained (the store locks it), due, purged.

    `until` is when a retired run's data may be deleted.
    """

    run: str
    verdict: str
    reasons: tuple[str, ...] = ()
    until: datetime | None = None


@dataclass(frozen=True)
class Plan:
    """`refused` is empty, or why nothing may be retired or deleted now."""

    lines: tuple[Line, ...]
    refused: str = ""

    def of(self, verdict: str) -> list[str]:
        return [line.run for line in self.lines if line.verdict == verdict]

    @property
    def retire(self) -> list[str]:
        return [] if self.refused else self.of("retire")

    @property
    def due(self) -> list[str]:
        return [] if self.refused else self.of("due")
