"""Which tables a destructive statement reaches, and which of their rows were written since a snapshot.

In: a connection, names or a snapshot's bounds. Out: tables by oid, counts. A row carries the transaction that wrote it
(PostgreSQL 17, 66.6 Database Page Layout, t_xmin); freezing sets flag bits and keeps the number.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from providers.postgres.catalog import PLATFORM_SCHEMAS
from providers.postgres.connection import Connection, statements
from providers.postgres.copy.snapshot import Since


@dataclass(frozen=True)
class Reach:
    """What statements destroy: named tables, whole schemas, columns of types; `everything` where nobody can tell.

    `rows`: referring rows follow by ON DELETE or ON UPDATE; `truncates`: by TRUNCATE … CASCADE, whatever the key.
    """

    tables: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    everything: bool = False
    rows: bool = False
    truncates: bool = False

    @property
    def nothing(self) -> bool:
        return not (self.tables or self.schemas or self.types or self.everything)


@dataclass(frozen=True)
class ReachedTable:
    """A partitioned table holds no rows itself, but is locked so that nothing is attached to it."""

    oid: int
    schema: str
    name: str
    size_bytes: int
    holds_rows: bool

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"


def reached(connection: Connection, reach: Reach) -> list[ReachedTable]:
    """In name order, with partitions and inheriting tables."""
    values: dict[str, object] = {
        "tables": list(reach.tables),
        "schemas": list(reach.schemas),
        "types": list(reach.types),
        "everything": reach.everything,
        "rows": reach.rows,
        "truncates": reach.truncates,
        "skipped": PLATFORM_SCHEMAS,
    }
    return [ReachedTable(*row) for row in connection.execute(statements("reach"), values)]


def since(connection: Connection, oldest: str) -> Since:
    """Everything that a snapshot with this oldest open transaction (xid8) may not have seen, up to now."""
    row = connection.execute("SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text").fetchone()
    return Since(int(oldest), int(row[0]) if row else 0)


def counts(connection: Connection, table: tuple[str, str], part: Since) -> tuple[int, int]:
    """(written since, older) rows of one table."""
    query = sql.SQL("SELECT count(*) FILTER (WHERE {0}), count(*) FILTER (WHERE NOT ({0})) FROM ONLY {1}")
    row = connection.execute(query.format(part.where(), sql.Identifier(*table))).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)
