"""The largest value that an export will meet, without reading it. In: a session, tables. Out: its table and its size.

The length of a text stands in the row, whatever lies beside it (67.2 TOAST); of other types their stored size is told.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import errors, sql

from providers.postgres.connection import Connection, statements
from providers.postgres.schema.model import Table

LEAST_BYTES = 64 << 10  # what a value of 16 MB is at least, however well it is compressed
MOST_TABLES = 20
SECONDS = 3


@dataclass(frozen=True)
class Largest:
    table: str = ""
    bytes: int = 0


def largest_value(connection: Connection, tables: Sequence[Table]) -> Largest:
    """Of tables that have as much beside their rows. What cannot be found out in three seconds is not known."""
    until, known = time.monotonic() + SECONDS, {table.oid: table for table in tables if not table.unplanned}
    values = {"oids": list(known), "least": LEAST_BYTES, "tables": MOST_TABLES}
    found = Largest()
    for oid, _, names, texts in connection.execute(statements("largest_columns"), values).fetchall():
        left = int((until - time.monotonic()) * 1000)
        if left <= 0:
            break
        size = _largest(connection, known[oid], list(zip(names, texts, strict=True)), left)
        found = max(found, Largest(known[oid].qualified, size), key=lambda each: each.bytes)
    return found


def _largest(connection: Connection, table: Table, columns: list[tuple[str, bool]], milliseconds: int) -> int:
    sizes = [sql.SQL("octet_length({})" if text else "pg_column_size({})") for _, text in columns]
    listed = [size.format(sql.Identifier(name)) for size, (name, _) in zip(sizes, columns, strict=True)]
    query = sql.SQL("SELECT coalesce(max(greatest({})), 0) FROM ONLY {}")
    try:
        with connection.transaction():
            connection.execute("SELECT set_config('statement_timeout', %s, true)", [str(milliseconds)])
            row = connection.execute(query.format(sql.SQL(", ").join(listed), sql.Identifier(*table.key))).fetchone()
            connection.execute("SET LOCAL statement_timeout = 0")
    except errors.QueryCanceled:
        return 0
    return int(row[0]) if row else 0
