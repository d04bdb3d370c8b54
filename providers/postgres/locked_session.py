"""A writing session on the product's database that nobody can double: it holds an advisory lock, polled.

In: a DSN and a key. Out: a connection whose backend itself holds the lock, and ends when its client is gone. A new
attempt starts only when the old backend is gone (PostgreSQL 17, 13.3.5 Advisory Locks).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from providers.errors import ProviderError
from providers.postgres.connection import Connection, connect, statements

POLL_SECONDS = 0.2


def lock_number(key: str) -> int:
    """A signed 64-bit number for pg_try_advisory_lock."""
    return int.from_bytes(hashlib.sha256(f"sampelit-ops\0{key}".encode()).digest()[:8], "big", signed=True)


@contextmanager
def guarded_session(
    dsn: str,
    key: str,
    *,
    lease_seconds: float,
    wait_seconds: float,
    check: Callable[[], None] = lambda: None,
    owner: str = "",
) -> Iterator[Connection]:
    """Yield the writing connection; `check` is called while polling and may raise.

    The server ends the backend's open transaction after less than the lease. ProviderError (retryable) when another
    backend still holds the lock after `wait_seconds`; nothing was written then. A session that an earlier attempt of
    the same `owner` left in the middle of a COPY is ended: no timeout of the server reaches it there, because it
    waits for its client's data, and who holds the owner's lease now knows that nobody else may write.
    """
    idle_ms = max(500, int(lease_seconds * 800))
    with connect(dsn, read_only=False) as connection:
        for name in ("idle_in_transaction_session_timeout", "idle_session_timeout"):
            connection.execute("SELECT pg_catalog.set_config(%s, %s, false)", [name, str(idle_ms)])
        connection.execute("SET client_connection_check_interval = '1s'")
        if owner:
            connection.execute("SELECT pg_catalog.set_config('application_name', %s, false)", [_named(owner)])
        until = time.monotonic() + wait_seconds
        while not _taken(connection, lock_number(key)):
            check()
            if owner:
                connection.execute(statements("end_predecessor"), {"number": lock_number(key), "name": _named(owner)})
            if time.monotonic() > until:
                raise ProviderError(
                    f"Another session of the portal still holds {key!r} on this database. Nothing was written; "
                    "it is tried again when that session is gone.",
                    retryable=True,
                )
            time.sleep(POLL_SECONDS)
        yield connection


def _named(owner: str) -> str:
    return f"sampelit-ops {owner}"[:63]


def _taken(connection: Connection, number: int) -> bool:
    row = connection.execute("SELECT pg_catalog.pg_try_advisory_lock(%s)", [number]).fetchone()
    return bool(row and row[0])
