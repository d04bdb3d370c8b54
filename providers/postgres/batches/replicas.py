"""How far the replicas of a server are behind. In: a session. Out: seconds, or what cannot be seen."""

from __future__ import annotations

from dataclasses import dataclass

from providers.postgres.connection import Connection, statements


@dataclass(frozen=True)
class Behind:
    """Of the slowest replica. `hidden`: replicas that this role may not look at (it lacks pg_monitor)."""

    seconds: float
    megabytes: float
    hidden: int


def behind(connection: Connection) -> Behind:
    """Zero without replicas (PostgreSQL 17, 27.2.4 pg_stat_replication)."""
    row = connection.execute(statements("replicas_behind"), prepare=False).fetchone()
    return Behind(float(row[0]), float(row[1]), int(row[2])) if row else Behind(0, 0, 0)
