"""A restore's only way to write: one session per database that holds a lock and ends when its worker is paused.

In: a DSN and a watch. Out: a connection whose backend holds the advisory lock until it is closed. It must be asked
something more often than the lease is long, else the server rolls its transaction back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from backups.progress import Watch
from providers import postgres
from providers.errors import Refused
from providers.postgres.connection import Connection, address, as_pg_restore
from providers.postgres.locked_session import guarded_session


def beat_seconds() -> float:
    """How often a waiting restore speaks to the server: a quarter of what the server allows it to be silent."""
    return float(settings.OPS_LEASE_SECONDS) * 0.2


def identity(connection: Connection) -> str:
    """Which database this is, whatever its address. Raises Refused behind a pooler that would lose the lock."""
    facts = postgres.facts(connection)
    if not facts.session_mode:
        raise Refused(
            f"{address(connection.info.dsn)} is a pooler in transaction mode. Nothing was written. "
            "Put the session pooler (port 5432) or the host into the variable."
        )
    return f"{facts.system_identifier}/{facts.database}"


@contextmanager
def writing(dsn: str, watch: Watch) -> Iterator[Connection]:
    """The writing session. Raises ProviderError (retryable) while another restore into this database holds the lock."""
    with postgres.connect(dsn) as looking:
        target = identity(looking)
    with _session(dsn, target, f"restore:{target}", watch) as connection:
        yield connection


@contextmanager
def helping(first: Connection, dsn: str, watch: Watch) -> Iterator[Connection]:
    """One more session on the database of a writing one, which reads statements as that and ends as that does."""
    found = postgres.identity(first)
    target = f"{found.system_identifier}/{found.database_name}"
    with _session(dsn, target, f"restore beside:{target}", watch) as connection:
        as_pg_restore(connection)
        yield connection


@contextmanager
def _session(dsn: str, target: str, key: str, watch: Watch) -> Iterator[Connection]:
    """Alone under this key, and on no other database. Raises Refused where the address leads to another one."""
    lease = float(settings.OPS_LEASE_SECONDS)
    with guarded_session(
        dsn, key=key, lease_seconds=lease, wait_seconds=lease * 2, check=watch.check, owner=watch.owner
    ) as connection:
        if identity(connection) != target:
            raise Refused(f"{address(dsn)} answers with two databases. Nothing was written. Name one host.")
        yield connection
