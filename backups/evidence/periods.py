"""Calendar months, sequence numbers as people write them, and the time that nobody watched. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise


def month_end(month: str) -> datetime:
    """The first instant after a calendar month; "unknown" ends never."""
    if month == "unknown":
        return datetime.max.replace(tzinfo=UTC)
    year, number = int(month[:4]), int(month[5:])
    return datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)


def months_of(start: datetime, end: datetime) -> frozenset[str]:
    """Every calendar month (UTC) that a period touches; its end is not part of it."""
    found, at = set(), datetime(start.year, start.month, 1, tzinfo=UTC)
    while at < end:
        found.add(f"{at:%Y-%m}")
        at = month_end(f"{at:%Y-%m}")
    return frozenset(found)


def shown(pairs: Sequence[tuple[int, int]], most: int = 12) -> str:
    """Sequence numbers as people write them: 3, 7-9."""
    texts = [str(low) if low == high else f"{low}-{high}" for low, high in pairs[:most]]
    return ", ".join(texts) + (f" and {len(pairs) - most} more" if len(pairs) > most else "")


@dataclass(frozen=True)
class Gap:
    """A time without a proven run that is longer than the schedule allows."""

    start: str
    end: str
    seconds: int


def gaps(times: Sequence[datetime], start: datetime, end: datetime, allowed: float) -> tuple[list[Gap], int]:
    """The unwatched gaps between `start` and `end`, and the longest time between two proven runs, in seconds.

    `times` are snapshots in order, the last one before `start` included; without one, watching begins at the first.
    """
    inside = [at for at in times if start < at < end]
    before = [at for at in times if at <= start]
    after = [at for at in times if at >= end]
    borders = [max(before) if before else start, *inside, min(after) if after else end]
    pairs = list(pairwise(borders))
    longest = max((int((b - a).total_seconds()) for a, b in pairs), default=0)
    gaps = [
        Gap(moment(max(a, start)), moment(min(b, end)), int((b - a).total_seconds()))
        for a, b in pairs
        if (b - a).total_seconds() > allowed
    ]
    return gaps, longest


def moment(at: datetime) -> str:
    """RFC 3339 in UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
