"""When a policy runs: slots of a cron line in its own time zone, as UTC instants. Pure; the clock is an argument.

In: cron line, zone name, two instants. Out: the slots between them. A local time that a clock change repeats is its
first occurrence; one that it skips is as long after the change as it would have been (PEP 495, fold=0).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import islice
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, croniter

from backups.cron_line import LONGEST_YEARS

MOST_SLOTS = 500
SKIP = timedelta(hours=2)  # no zone's clock change is longer


def slots_between(cron: str, zone: str, after: datetime, until: datetime) -> Iterator[datetime]:
    """Every slot in (after, until], oldest first, each once; at most 500."""
    last, given = after, 0
    for slot in _in_order(cron, ZoneInfo(zone), after):
        if slot > until or given == MOST_SLOTS:
            return
        if slot > last:
            last, given = slot, given + 1
            yield slot


def _in_order(cron: str, place: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """The instants of the local times. A skipped one falls later than some that follow it, by no more than SKIP."""
    local = after.astimezone(place).replace(tzinfo=None) - SKIP
    times = croniter(cron, local, ret_type=datetime, max_years_between_matches=LONGEST_YEARS)
    waiting: list[datetime] = []
    try:
        while True:
            moment = times.get_next(datetime).replace(tzinfo=place).astimezone(UTC)
            heappush(waiting, moment)
            while waiting[0] < moment - SKIP:
                yield heappop(waiting)
    except CroniterBadDateError:  # it fires no more
        yield from (heappop(waiting) for _ in range(len(waiting)))


def next_slots(cron: str, zone: str, after: datetime, most: int) -> list[datetime]:
    """The next slots, at most so many, within some years."""
    until = after + timedelta(days=366 * LONGEST_YEARS)
    return list(islice(slots_between(cron, zone, after, until), most))
