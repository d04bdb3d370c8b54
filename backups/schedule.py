"""When a policy runs: slots of a cron line in its own time zone, as UTC instants. Pure; the clock is an argument.

In: cron line, zone name, two instants. Out: the slots between them. Times that a clock change skips or repeats give one
slot each (croniter's rule), because slots are compared and stored in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import croniter

MOST_SLOTS = 500


def slots_between(cron: str, zone: str, after: datetime, until: datetime) -> Iterator[datetime]:
    """Every slot in (after, until], oldest first, each once; at most 500."""
    times = croniter(cron, after.astimezone(ZoneInfo(zone)), ret_type=datetime)
    seen: set[datetime] = set()
    for _ in range(MOST_SLOTS):
        slot = times.get_next(datetime).astimezone(UTC)
        if slot > until:
            return
        if slot > after and slot not in seen:
            seen.add(slot)
            yield slot


def next_slot(cron: str, zone: str, after: datetime) -> datetime:
    return next(slots_between(cron, zone, after, after + timedelta(days=366 * 8)))
