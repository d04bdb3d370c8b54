"""Large objects as rows of pages, so that they travel like a table (PostgreSQL 17, chapter 33 Large Objects).

In: a session in a snapshot, or one that may write. Out: which ones there are, COPY blocks of their pages, digests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from psycopg import sql

from providers.postgres.connection import Connection, statements
from providers.postgres.copy.row_digests import Evidence
from providers.postgres.copy.stream import QueryOut, copy_in
from providers.postgres.schema.model import SchemaObject

PAGE_BYTES = 256 << 10
PART_PAGES = 64  # 16 MiB, as much as a segment of a table
STAGED = ("pg_temp", "sampelit_ops_pages")
COLUMNS = ("oid", "page", "data")


@dataclass(frozen=True)
class Pages:
    """`first` to `last` of one large object; an empty one has page 0."""

    oid: int
    first: int
    last: int


def readable(connection: Connection) -> tuple[list[tuple[int, int]], int]:
    """(number, bytes) of each that this role may read, and how many it may not."""
    rows = connection.execute(statements("large_objects"), {"page": PAGE_BYTES}).fetchall()
    return [(int(oid), int(last)) for oid, last in rows if last is not None], sum(last is None for _, last in rows)


def parts(objects: Iterable[tuple[int, int]]) -> Iterator[list[Pages]]:
    """What is stored together: at most PART_PAGES pages."""
    part: list[Pages] = []
    room = PART_PAGES
    for oid, last in objects:
        first = 0
        while first <= last:
            upto = min(last, first + room - 1)
            part.append(Pages(oid, first, upto))
            room -= upto - first + 1
            first = upto + 1
            if not room:
                yield part
                part, room = [], PART_PAGES
    if part:
        yield part


def pages_out(connection: Connection, part: Sequence[Pages]) -> QueryOut:
    lists = [sql.Literal([getattr(pages, name) for pages in part]) for name in ("oid", "first", "last")]
    wanted = sql.SQL(statements("large_objects_pages")).format(*lists, page=sql.Literal(PAGE_BYTES))
    return QueryOut(connection, sql.SQL("COPY ({}) TO STDOUT (FORMAT binary)").format(wanted))


def pages_in(connection: Connection, blocks: Iterable[bytes]) -> Evidence:
    """Make and fill them; answers what now lies there. Raises ProviderError and psycopg.Error."""
    name = sql.Identifier(*STAGED)
    connection.execute(sql.SQL("CREATE TEMPORARY TABLE {} (oid bigint, page bigint, data bytea)").format(name))
    copy_in(connection, STAGED, COLUMNS, "binary", blocks)
    connection.execute(sql.SQL("SELECT pg_catalog.lo_create(oid::oid) FROM {} WHERE page = 0").format(name))
    put = sql.SQL("SELECT pg_catalog.lo_put(oid::oid, page * {}, data) FROM {}").format(sql.Literal(PAGE_BYTES), name)
    connection.execute(put)
    found = evidence(connection, name)
    connection.execute(sql.SQL("DROP TABLE {}").format(name))
    return found


def part_evidence(connection: Connection, part: Sequence[Pages]) -> Evidence:
    lists = [sql.Literal([getattr(pages, name) for pages in part]) for name in ("oid", "first", "last")]
    wanted = sql.SQL(statements("large_objects_pages")).format(*lists, page=sql.Literal(PAGE_BYTES))
    return evidence(connection, sql.SQL("({}) pages").format(wanted))


def evidence(connection: Connection, pages: sql.Composable) -> Evidence:
    """Of the pages that are named there, as they now are."""
    query = sql.SQL(statements("large_objects_evidence")).format(pages=pages, page=sql.Literal(PAGE_BYTES))
    row = connection.execute(query).fetchone()
    assert row is not None  # noqa: S101 - an aggregate without GROUP BY always answers one row
    return Evidence(int(row[0]), str(row[1]))


def rights(connection: Connection) -> list[SchemaObject]:
    """Owners, rights and comments of those that have any of their own, many in one statement."""
    return [
        SchemaObject("after", "large_object", f"large objects {what}", text, False)
        for what, text in connection.execute(statements("large_objects_rights"))
    ]
