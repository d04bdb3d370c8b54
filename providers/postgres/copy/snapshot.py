"""One exported snapshot for several connections, and positions inside a table as ctid ranges (PostgreSQL 14+).

In: a connection in autocommit. Out: the snapshot's identity and time; ranges that together cover every row once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from providers.postgres.connection import Connection, statements
from providers.postgres.schema.model import Name


@dataclass(frozen=True, order=True)
class Position:
    """A tuple's place: page, then line pointer (65.6 Database Page Layout; at most 291 rows on an 8 kB page)."""

    page: int
    row: int = 0

    def __str__(self) -> str:
        return f"({self.page},{self.row})"


FIRST = Position(0, 0)
ROWS_ON_PAGE = 292


@dataclass(frozen=True)
class Range:
    """Rows with `start <= ctid < end`; an empty end is open, so a table that grew is still covered."""

    start: Position = FIRST
    end: Position | None = None

    def where(self) -> sql.Composable:
        clause = sql.SQL("ctid >= {}::pg_catalog.tid").format(sql.Literal(str(self.start)))
        if self.end is None:
            return clause
        return clause + sql.SQL(" AND ctid < {}::pg_catalog.tid").format(sql.Literal(str(self.end)))

    def halves(self, pages: int) -> tuple[Range, Range] | None:
        """Two ranges for one that was too large; None when it can hold a single row only."""
        end = self.end or Position(max(pages, self.start.page + 1), 0)
        whole_pages = end.page - self.start.page
        if whole_pages > 1:
            middle = Position(self.start.page + whole_pages // 2, 0)
        else:
            last = end.row if end.page == self.start.page else ROWS_ON_PAGE
            middle = Position(self.start.page, (self.start.row + last) // 2)
        if middle <= self.start or (self.end and middle >= self.end):
            return None
        return Range(self.start, middle), Range(middle, self.end)


@dataclass(frozen=True)
class Since:
    """Rows whose writer a snapshot may not have seen: `oldest` is the snapshot's xmin, `now` the counter (both xid8).

    A row keeps the lower 32 bits of its writer. Rows older than 2^32 transactions may be taken for new ones, never new
    ones for old.
    """

    oldest: int
    now: int

    def where(self) -> sql.Composable:
        return sql.SQL("mod(xmin::text::bigint - {} + 4294967296, 4294967296) <= {}").format(
            sql.Literal(self.oldest % 2**32), sql.Literal(self.now - self.oldest)
        )


@dataclass(frozen=True)
class Snapshot:
    """What `pg_export_snapshot` gave, with the xid8 bounds, log position and the database's clock."""

    id: str
    xmin: str
    xmax: str
    lsn: str
    taken_at: str


def hold_tables(connection: Connection, names: Sequence[Name]) -> None:
    """Begin a transaction that lets nobody truncate, rewrite or drop these tables until it ends: before a snapshot,
    because whatever happens between the two is seen by neither."""
    connection.execute("BEGIN TRANSACTION READ ONLY")
    if names:
        listed = sql.SQL(", ").join(sql.SQL("ONLY {}").format(sql.Identifier(*name)) for name in names)
        connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(listed))


def export_snapshot(connection: Connection) -> Snapshot:
    """Begin the leader's transaction; it must stay open while others import its snapshot."""
    connection.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    row = connection.execute(statements("snapshot")).fetchone()
    assert row is not None  # noqa: S101 - one SELECT without FROM always answers one row
    return Snapshot(*(str(value) for value in row))


def import_snapshot(connection: Connection, snapshot_id: str) -> None:
    """Begin a transaction that sees exactly what the leader sees; one that is open ends, and gives back its locks."""
    connection.rollback()
    begin = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT {}"
    connection.execute(sql.SQL(begin).format(sql.Literal(snapshot_id)))
