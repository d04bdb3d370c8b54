"""A mark of one database as it stands: it changes when a provider puts another copy in its place, never by writing."""

from __future__ import annotations

from datetime import datetime

from psycopg import sql

from providers.postgres.connection import Connection

MARK = (
    "SELECT oid::text, pg_postmaster_start_time()::text FROM pg_catalog.pg_database WHERE datname = current_database()"
)


def mark(connection: Connection) -> str:
    """The database's OID and its server's start: a restore in place changes at least one of them."""
    row = connection.execute(MARK).fetchone()
    return " ".join(row) if row else ""


def rows_since(connection: Connection, table: tuple[str, str], column: str, at: datetime) -> int:
    """How many rows of `table` are later than `at` by that column; at most five seconds are spent on it."""
    connection.execute("SET statement_timeout = '5s'")
    query = sql.SQL("SELECT count(*) FROM {} WHERE {} > %s").format(sql.Identifier(*table), sql.Identifier(column))
    row = connection.execute(query, [at]).fetchone()
    connection.execute("SET statement_timeout = 0")
    return int(row[0]) if row else 0


def count(connection: Connection, table: tuple[str, str]) -> int:
    """Rows of one table, counted."""
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(*table))).fetchone()
    return int(row[0]) if row else 0


def columns(connection: Connection, table: tuple[str, str]) -> list[str]:
    """The columns of a table that exist now; none where there is no such table."""
    name = sql.Identifier(*table).as_string()
    query = "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped"
    return [str(row[0]) for row in connection.execute(query, [name])]
