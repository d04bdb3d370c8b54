"""What a statement outside transactions leaves when it is interrupted: invalid indexes, a partition half detached.

In: a connection, names. Out: what the catalogue says now. REINDEX CONCURRENTLY leaves `_ccnew` or `_ccold` (PostgreSQL
17, REINDEX, Rebuilding Indexes Concurrently); DETACH … CONCURRENTLY a pending row (ALTER TABLE).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from providers.postgres.connection import Connection, statements


@dataclass(frozen=True)
class SeenIndex:
    """`busy` names the sessions that hold the lock under which indexes of its table are built."""

    name: str
    table: str
    valid: bool
    busy: str


def indexes(connection: Connection, names: Sequence[str]) -> list[SeenIndex]:
    """Indexes of the named tables, or those with these names; of all tables without names."""
    rows = connection.execute(statements("leftovers"), {"names": list(names)})
    return [SeenIndex(*row) for row in rows]


def drop_index(connection: Connection, name: str) -> None:
    """Remove an index without blocking writers."""
    query = sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(*name.split(".", 1)))
    connection.execute(query)


def detaching(connection: Connection, partition: tuple[str, str]) -> str:
    """attached, pending (begun by DETACH … CONCURRENTLY and not ended) or detached."""
    row = connection.execute(
        "SELECT h.inhdetachpending FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s",
        list(partition),
    ).fetchone()
    return "detached" if row is None else "pending" if row[0] else "attached"


def finish_detaching(connection: Connection, table: tuple[str, str], partition: tuple[str, str]) -> None:
    connection.execute(
        sql.SQL("ALTER TABLE {} DETACH PARTITION {} FINALIZE").format(
            sql.Identifier(*table), sql.Identifier(*partition)
        )
    )
