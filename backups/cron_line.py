"""Whether a cron line is a schedule: it fires within eight years, and never twice within five minutes. Pure.

In: the line. Out: why not, or nothing.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from itertools import pairwise

from croniter import CroniterBadDateError, CroniterError, croniter

LEAST_GAP = timedelta(minutes=5)
LONGEST_YEARS = 8
LOOKED_AT = 300  # firings, more than a day's most
FROM = datetime(2026, 1, 1)  # noqa: DTZ001 - local times of no zone
_NAMES = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat"
_ITEM = rf"(?:\*|(?:\d+|{_NAMES})(?:-(?:\d+|{_NAMES}))?)(?:/\d+)?"
_FIELD = re.compile(rf"{_ITEM}(?:,{_ITEM})*", re.IGNORECASE)


def why_no_schedule(line: str) -> str:
    """Why a policy cannot run by this line; empty where it can."""
    fields = line.split()
    if len(fields) != 5 or not all(map(_FIELD.fullmatch, fields)) or not croniter.is_valid(line):
        return "Give five cron fields, such as 15 3 * * * (minute hour day month weekday)."
    times = firings(line, FROM, LOOKED_AT)
    if not times:
        return f"This line never fires within {LONGEST_YEARS} years; look at its day and month."
    if any(later - sooner < LEAST_GAP for sooner, later in pairwise(times)):
        minutes = LEAST_GAP.seconds // 60
        return f"This line fires twice within {minutes} minutes; give one minute, such as 15 {' '.join(fields[1:])}."
    return ""


def firings(line: str, after: datetime, most: int) -> list[datetime]:
    """The next local times, at most so many, within some years; none where it never fires."""
    times: list[datetime] = []
    try:
        found = croniter(line, after, ret_type=datetime, max_years_between_matches=LONGEST_YEARS)
        while len(times) < most:
            times.append(found.get_next(datetime))
    except (CroniterBadDateError, CroniterError):
        return times
    return times
