"""When a policy runs: slots of a cron line in its own time zone, as UTC instants. Pure; the clock is an argument.

In: cron line, zone name, two instants. Out: the slots between them. A local time that a clock change repeats is its
first occurrence; one that it skips is as long after the change as it would have been (PEP 495, fold=0).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import croniter

MOST_SLOTS = 500


def slots_between(cron: str, zone: str, after: datetime, until: datetime) -> Iterator[datetime]:
    """Every slot in (after, until], oldest first, each once; at most 500."""
    place = ZoneInfo(zone)
    local = after.astimezone(place).replace(tzinfo=None) - timedelta(hours=2)
    times = croniter(cron, local, ret_type=datetime)
    seen: set[datetime] = set()
    while len(seen) < MOST_SLOTS:
        slot = times.get_next(datetime).replace(tzinfo=place).astimezone(UTC)
        if slot > until:
            return
        if slot > after and slot not in seen:
            seen.add(slot)
            yield slot


def next_slot(cron: str, zone: str, after: datetime) -> datetime:
    return next(slots_between(cron, zone, after, after + timedelta(days=366 * 8)))
