"""Tables on which PostgreSQL plans no query, while COPY of the table itself reads them: code of an index fails.

In: a session and tables. Out: why, by table; the evidence of their rows, which is that of the bytes that COPY gave.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import psycopg
from psycopg import sql

from providers.postgres.connection import UNKNOWN_NAME, Connection, looking_in
from providers.postgres.copy.row_digests import Evidence
from providers.postgres.copy.stream import QueryOut, table_out
from providers.postgres.error_facts import facts_of, is_of_the_server
from providers.postgres.schema.model import Catalog, Name, Table

# The planner reads no other code of a table by itself: get_relation_info and get_relation_statistics (plancat.c).
WITH_CODE = """
    SELECT c.oid::bigint FROM pg_class c WHERE c.oid = ANY (%s::oid[]) AND (
      EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL))
      OR EXISTS (SELECT FROM pg_statistic_ext s WHERE s.stxrelid = c.oid AND s.stxexprs IS NOT NULL))
"""
TOGETHER = 50
FOREIGN = "f"
TOLD = "{}: PostgreSQL plans no query on it ({}), so COPY read it whole and its bytes are what is compared."
FORMAT = "csv"  # which holds no number of a type


def with_unplanned(connection: Connection, catalog: Catalog) -> Catalog:
    """Which of its tables are such, and why. Keeps no lock. Raises psycopg.Error where the server could not go on."""
    said = _unplanned(connection, [table for table in catalog.tables if table.kind != FOREIGN])
    if not said:
        return catalog
    marked = (
        replace(table, unplanned=TOLD.format(table.qualified, said[table.qualified]))
        if table.qualified in said
        else table
        for table in catalog.tables
    )
    return replace(catalog, tables=tuple(marked))


def _unplanned(connection: Connection, tables: Sequence[Table]) -> dict[str, str]:
    coded = {row[0] for row in connection.execute(WITH_CODE, [[table.oid for table in tables]])}
    asked = [table for table in tables if table.oid in coded]
    found: dict[str, str] = {}
    for start in range(0, len(asked), TOGETHER):
        heap = asked[start : start + TOGETHER]
        if _refusal(connection, heap):
            found |= {table.qualified: why for table in heap if (why := _refusal(connection, [table]))}
    return found


def _refusal(connection: Connection, tables: Sequence[Table]) -> str:
    try:
        _plan(connection, tables)
    except UNKNOWN_NAME:
        try:
            with looking_in(connection):
                _plan(connection, tables)
        except psycopg.Error as error:
            return _said(error, tables)
    except psycopg.Error as error:
        return _said(error, tables)
    return ""


def _plan(connection: Connection, tables: Sequence[Table]) -> None:
    each = (sql.SQL("SELECT 1 FROM ONLY {}").format(sql.Identifier(*table.key)) for table in tables)
    with connection.transaction(force_rollback=True):
        connection.execute(sql.SQL("EXPLAIN ") + sql.SQL(" UNION ALL ").join(each))


def _said(error: psycopg.Error, tables: Sequence[Table]) -> str:
    if is_of_the_server(error):
        raise error
    return facts_of(error, {name for table in tables for name in table.key})


def of_stream(rows: int, raw_sha256: str) -> Evidence:
    """Of rows that COPY gave in this order."""
    return Evidence(rows, str(int(raw_sha256[:16], 16)))


def is_of_stream(segments: Sequence[tuple[int, str, str]]) -> bool:
    """Whether these rows, digests and SHA-256 of the bytes are those of a table that was copied so."""
    return len(segments) == 1 and all(digest == of_stream(rows, raw).digest for rows, digest, raw in segments)


def copied_again(connection: Connection, table: Name, columns: Sequence[str]) -> Evidence:
    """The same of a table as it is now: equal where its rows are, and were brought in their order."""
    stream, digest = QueryOut(connection, table_out(table, columns, FORMAT)), hashlib.sha256()
    for block in stream:
        digest.update(block)
    return of_stream(stream.rows, digest.hexdigest())
