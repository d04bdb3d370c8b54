"""Running statements of a migration on a guarded session: transactions with limits, their fate, leftovers of indexes.

In: a connection in autocommit. Out: transaction ids and states. Errors of psycopg pass through: the caller decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import errors

from providers.postgres.connection import Connection, statements

# Lock not available, deadlock, serialization failure: the whole transaction may be tried again.
RETRYABLE = (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure)


@dataclass(frozen=True)
class Limits:
    """Milliseconds; the lock limit is below the statement limit, else 57014 would hide 55P03."""

    lock_ms: int
    statement_ms: int


def as_product_sees_it(connection: Connection, limits: Limits, *, local: bool) -> None:
    """The settings under which a file's own statements run; `local` ones end with the transaction."""
    wanted = {
        "search_path": '"$user", public, extensions',
        "row_security": "on",
        "lock_timeout": f"{limits.lock_ms}ms",
        "statement_timeout": f"{limits.statement_ms}ms",
    }
    for name, value in wanted.items():
        connection.execute("SELECT pg_catalog.set_config(%s, %s, %s)", [name, value, local])


def begin(connection: Connection, limits: Limits, *, one_snapshot: bool = False) -> str:
    """Open a transaction with its limits; its id (xid8), assigned before anything is changed.

    READ COMMITTED whatever the role's default: what is compared under locks must be seen as it is after they are held.
    With `one_snapshot` all of its statements see the same rows, and it fails (40001) where somebody changes one.
    """
    level = "REPEATABLE READ" if one_snapshot else "READ COMMITTED"
    connection.execute(f"BEGIN ISOLATION LEVEL {level} READ WRITE")
    for name, value in (("lock_timeout", limits.lock_ms), ("statement_timeout", limits.statement_ms)):
        connection.execute("SELECT pg_catalog.set_config(%s, %s, true)", [name, f"{value}ms"])
    row = connection.execute("SELECT pg_catalog.pg_current_xact_id()::text").fetchone()
    return str(row[0]) if row else ""


def run(connection: Connection, statement: bytes) -> int:
    """One statement as it stands in the file; how many rows it says that it touched (-1: it does not say)."""
    return connection.execute(statement).rowcount


def transaction_state(connection: Connection, xid: str) -> str:
    """committed, aborted, in progress, or empty when the server no longer knows (pg_xact_status, 9.27.9)."""
    try:
        row = connection.execute("SELECT pg_catalog.pg_xact_status(%s::text::xid8)", [xid]).fetchone()
    except errors.InvalidParameterValue:
        return "aborted"  # an id of the future: the server came back without ever having written it
    return str(row[0] or "") if row else ""


def blockers(connection: Connection, tables: Sequence[str]) -> list[str]:
    """Who holds a lock on one of these tables."""
    return [str(row[0]) for row in connection.execute(statements("blockers"), {"tables": list(tables)})]


def writable(connection: Connection) -> str:
    """Why this server takes no writes; empty where it does.

    A database that was set read-only (a managed service does that when its disk is full) tells it by the setting's
    reset value: this session has set its own.
    """
    row = connection.execute(
        "SELECT pg_is_in_recovery(), has_schema_privilege('public', 'CREATE'), current_user,"
        " (SELECT reset_val = 'on' FROM pg_settings WHERE name = 'default_transaction_read_only')"
    ).fetchone()
    in_recovery, may_create, role, read_only = row or (False, False, "", False)
    if in_recovery:
        return "it is a replica"
    if not may_create:
        return f"the role {role} may not create anything in schema public"
    if read_only:
        return "it is set read-only (default_transaction_read_only), as managed services do when the disk is full"
    return ""


def late_sessions(connection: Connection, seconds: int) -> list[str]:
    """Who has had a transaction open for longer; a replica's own and this session do not count."""
    return [str(row[0]) for row in connection.execute(statements("late"), {"seconds": seconds})]
