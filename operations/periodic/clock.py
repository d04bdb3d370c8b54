"""The database's clock, by which all processes agree what is due, and how far this machine's is from it."""

from __future__ import annotations

from datetime import UTC, datetime

from ledger.models import clock_timestamp
from ledger.models import database_time as database_time

MOST_SKEW_SECONDS = 30.0


def skew_seconds() -> float:
    """How many seconds this machine's clock is ahead of the database's."""
    return (datetime.now(UTC) - clock_timestamp()).total_seconds()
