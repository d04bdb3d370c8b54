"""What would run inside COMMIT is run before it: deferred triggers, and cursors that would outlive the transaction.

In: a session in an open transaction. Out: in how many rounds it came to rest. A trigger may defer others again, but
only by writing a row: a round in which no counter moved is the end.
"""

from __future__ import annotations

from providers.errors import Refused
from providers.postgres.connection import Connection, statements
from providers.postgres.migrate.catalog_rows import fetch_rows

ROUNDS = 10


def run_what_waits(connection: Connection) -> int:
    """Raises Refused when it does not come to rest; psycopg's errors of the triggers pass through."""
    before = _counted(connection)
    for number in range(1, ROUNDS + 1):
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE", prepare=False)
        connection.execute("CLOSE ALL", prepare=False)
        now = _counted(connection)
        if now == before:
            return number
        before = now
    raise Refused(
        f"Deferred triggers set off others again and again, {ROUNDS} times, so what COMMIT would do cannot be told. "
        "The transaction was rolled back, nothing was changed. Let them not be deferred, or do their work in the file."
    )


def _counted(connection: Connection) -> list[tuple[object, ...]]:
    return sorted(fetch_rows(connection, statements("effects_waiting")))
