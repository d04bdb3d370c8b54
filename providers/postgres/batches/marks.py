"""What the target itself says of our transactions: a row that commits with each, or not at all.

In: a session, an operation and a step. Out: marks. Nothing else tells for certain that a transaction was committed
whose answer was lost: its id may be somebody else's after a crash, and a catalogue shows what others made too.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import errors

from providers.errors import Refused
from providers.postgres.connection import Connection, statements

SCHEMA = "supabase_migrations"
NAME = (SCHEMA, "sampelit_ops_marks")
LOCK_TIMEOUT = "4s"


@dataclass(frozen=True)
class Mark:
    """Batch 0 holds where the walk ends; every other one where it has come (`key`, as text), with sums up to there.

    `walked` and `rows`: keys that were passed, rows that were changed. `is_last`: nothing of the step is left to do.
    """

    batch: int
    key: tuple[str, ...] = ()
    walked: int = 0
    rows: int = 0
    is_last: bool = False


def ensure_marks(connection: Connection) -> None:
    """Make the table beside the migration history. Raises Refused where the role may not."""
    there = connection.execute("SELECT pg_catalog.to_regclass(%s)", [".".join(NAME)]).fetchone()
    if there and there[0]:
        return
    try:
        with connection.transaction():
            connection.execute("SELECT pg_catalog.set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
            connection.execute(statements("marks_create"))
    except (errors.InsufficientPrivilege, errors.InvalidSchemaName) as error:
        raise Refused(
            f"The migration role cannot make {'.'.join(NAME)}, where each transaction leaves its mark: "
            f"{_said(error)} Nothing was changed. GRANT USAGE, CREATE ON SCHEMA {NAME[0]} to it, then request it again."
        ) from None


def put_mark(connection: Connection, operation: str, step: int, mark: Mark) -> None:
    """In the caller's transaction. Raises psycopg UniqueViolation where this batch was done already."""
    connection.execute(
        statements("marks_put"),
        {
            "operation": operation,
            "step": step,
            "batch": mark.batch,
            "key": list(mark.key),
            "walked": mark.walked,
            "rows": mark.rows,
            "is_last": mark.is_last,
        },
        prepare=False,
    )


def newest_mark(connection: Connection, operation: str, step: int, *, batch: int | None = None) -> Mark | None:
    """The last one, or the one of a batch; None: no transaction of this step was committed here."""
    row = connection.execute("SELECT pg_catalog.to_regclass(%s)", [".".join(NAME)]).fetchone()
    if not (row and row[0]):
        return None
    found = connection.execute(
        statements("marks_newest"), {"operation": operation, "step": step, "batch": batch}, prepare=False
    ).fetchone()
    return Mark(found[0], tuple(found[1]), *found[2:]) if found else None


def transactions_of(connection: Connection, operation: str, step: int) -> list[str]:
    """The ids (xid8) of its committed transactions that changed rows."""
    query = "SELECT xid FROM supabase_migrations.sampelit_ops_marks WHERE operation = %s AND step = %s AND batch > 0"
    return [str(row[0]) for row in connection.execute(f"{query} ORDER BY batch", [operation, step])]


def forget(connection: Connection, operation: str) -> None:
    """Once the portal holds what they said."""
    connection.execute("DELETE FROM supabase_migrations.sampelit_ops_marks WHERE operation = %s", [operation])


def _said(error: psycopg.Error) -> str:
    return f"{(error.diag.message_primary or 'not permitted').rstrip('.')}."
