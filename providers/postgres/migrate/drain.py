"""Drain: wait until nobody writes to some tables, by statistics counters and held locks (27.2 Cumulative Statistics).

In: a connection and tables. Out: nothing when it is quiet; ProviderError naming who still writes when time is up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from providers.errors import ProviderError
from providers.postgres.connection import Connection, statements


@dataclass(frozen=True)
class Activity:
    """Rows ever inserted, updated or deleted in the tables, and sessions that hold a writer's lock on one."""

    written: int
    writers: tuple[str, ...]


def activity(connection: Connection, tables: Sequence[str]) -> Activity:
    """Counters reach the view within a second after a transaction; open transactions show by their locks."""
    connection.execute("SELECT pg_stat_clear_snapshot()")
    row = connection.execute(statements("drain"), {"tables": list(tables)}).fetchone()
    return Activity(int(row[0] or 0), tuple(row[1] or ())) if row else Activity(0, ())


def drain(
    connection: Connection,
    tables: Sequence[str],
    quiet_seconds: float = 3,
    deadline_seconds: float = 60,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Return once nothing was written for `quiet_seconds` and no writer's lock is held; else raise at the deadline."""
    until = time.monotonic() + deadline_seconds
    last, quiet_since = activity(connection, tables), time.monotonic()
    while True:
        check()
        time.sleep(min(0.5, quiet_seconds / 3))
        now = activity(connection, tables)
        if now.written != last.written or now.writers:
            last, quiet_since = now, time.monotonic()
        if time.monotonic() - quiet_since >= quiet_seconds:
            return
        if time.monotonic() > until:
            who = ", ".join(now.writers) or "sessions that commit between two looks"
            raise ProviderError(
                f"Writing to {', '.join(tables)} did not stop within {deadline_seconds:.0f} s: {who}. "
                "Nothing was changed. Stop what writes (maintenance does not stop Supabase's REST API) and try again."
            )
