"""Whether what runs for hours grows: memory, open handles, sessions at the database, rows.

In: a platform whose services run, looked at once an hour. Out: a sample; what grew, in words; a picture of the hours.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from statistics import median

import psycopg

from providers.memory import proportional_bytes, tree
from tests.blueprint_platform import Platform

Sample = dict[str, float]
FEWEST_HOURS = 12
ROWS = """
SELECT sum((xpath('/row/n/text()', counted))[1]::text::bigint)::bigint
  FROM pg_class, query_to_xml(format('SELECT count(*) AS n FROM %s', oid::regclass), false, true, '') AS counted
 WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
SESSIONS = "SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database()"
WAITING = "SELECT count(*) FROM django_q_ormq"
WIDTH, HEIGHT, LEFT, LINE = 760, 220, 60, 16
COLOURS = ("#3457d5", "#b4540a", "#15803d", "#9d174d", "#475569", "#7c3aed")


@dataclass(frozen=True)
class Bound:
    """By how much of itself, and by how much in any case, a figure may be above what it was."""

    share: float
    slack: float


BOUNDS = {"MB": Bound(0.1, 8), "handles": Bound(0, 4), "sessions": Bound(0, 3), "rows an hour": Bound(0.25, 20)}


def look(platform: Platform) -> Sample:
    """Each lasting service's memory and handles, the portal's sessions and rows. The queue must be empty by now."""
    sample: Sample = {}
    for name, processes in platform.running.items():
        for number, process in enumerate(processes):
            if not name.endswith("tick"):
                which = f"{name.removeprefix('sampelit-ops-')} {number + 1}"
                sample[f"{which} MB"] = proportional_bytes(process.pid) / 1e6
                sample[f"{which} handles"] = sum(map(_handles, tree(process.pid)))
    with psycopg.connect(platform.database_url) as portal:
        for name, query in (("sessions", SESSIONS), ("rows", ROWS), ("waiting messages", WAITING)):
            sample[name] = float((portal.execute(query).fetchone() or [0])[0])
    return sample


def _handles(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:  # it ended meanwhile
        return 0


def grown(hours: Sequence[Sample]) -> list[str]:
    """What is more in the last third than in the one before; rows by what an hour adds. Twelve hours at least."""
    if len(hours) < FEWEST_HOURS:
        return []
    series = {name: [hour[name] for hour in hours] for name in hours[0]}
    rows = series.pop("rows")
    series["rows an hour"] = [after - before for before, after in pairwise(rows)]
    found = []
    for name, values in series.items():
        third = len(values) // 3
        before, after = median(values[third : 2 * third]), median(values[2 * third :])
        bound = next((bound for unit, bound in BOUNDS.items() if name.endswith(unit)), Bound(0, 0))
        if after > before * (1 + bound.share) + bound.slack:
            found.append(f"{name}: {before:.0f}, then {after:.0f}")
    return found


def picture(hours: Sequence[Sample]) -> str:
    """The memory of each service by the hour, as SVG; the other figures stand in words below."""
    lines = {name.removesuffix(" MB"): [hour[name] for hour in hours] for name in hours[0] if name.endswith(" MB")}
    top = max(max(values) for values in lines.values()) * 1.1
    step = (WIDTH - LEFT - 10) / max(1, len(hours) - 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT + 40 + LINE * len(lines)}" '
        f'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{LEFT}" y="14">Memory (PSS, MB) by simulated hour</text>',
    ]
    for share in (0, 0.5, 1):
        y = HEIGHT - share * (HEIGHT - 30)
        parts.append(f'<text x="4" y="{y + 4:.0f}">{top * share:.0f} MB</text>')
        parts.append(f'<path d="M{LEFT} {y:.0f}H{WIDTH - 10}" stroke="#ddd"/>')
    for place, (name, values) in enumerate(lines.items()):
        colour, y = COLOURS[place % len(COLOURS)], HEIGHT + 40 + LINE * place
        points = " ".join(
            f"{LEFT + step * hour:.0f},{HEIGHT - value / top * (HEIGHT - 30):.0f}" for hour, value in enumerate(values)
        )
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        told = f"{name}: {values[0]:.0f} MB first, {max(values):.0f} most, {values[-1]:.0f} last"
        parts.append(f'<text x="{LEFT}" y="{y}" fill="{colour}">{escape(told)}</text>')
    parts.append(f'<text x="{LEFT}" y="{HEIGHT + 18}">hour 1</text>')
    parts.append(f'<text x="{WIDTH - 60}" y="{HEIGHT + 18}">hour {len(hours)}</text></svg>')
    return "\n".join([*parts, ""])
