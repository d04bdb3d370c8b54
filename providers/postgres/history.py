"""The Supabase CLI's history table, `supabase_migrations.schema_migrations`, read and written as the CLI does.

In: a connection. Out: rows. Columns are listed, never assumed: older and hosted tables have fewer or more of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from providers.errors import Refused
from providers.postgres.connection import Connection, statements

TABLE = sql.Identifier("supabase_migrations", "schema_migrations")


@dataclass(frozen=True)
class HistoryRow:
    """One applied migration; `name` and `statements` are None where the table has no such column or value."""

    version: str
    name: str | None = None
    statements: tuple[str, ...] | None = None


def history_columns(connection: Connection) -> set[str]:
    """The table's columns; none means that there is no history table."""
    return {str(row[0]) for row in connection.execute(statements("history_columns"))}


def read_history(connection: Connection) -> list[HistoryRow]:
    """Every row in the CLI's order (versions are text). Raises psycopg.Error."""
    columns = history_columns(connection)
    if "version" not in columns:
        return []
    wanted = [sql.Identifier(name) if name in columns else sql.NULL for name in ("version", "name", "statements")]
    query = sql.SQL("SELECT {} FROM {} ORDER BY version COLLATE {}").format(
        sql.SQL(", ").join(wanted), TABLE, sql.Identifier("C")
    )
    return [
        HistoryRow(row[0], row[1], tuple(row[2]) if row[2] is not None else None) for row in connection.execute(query)
    ]


def ensure_history(connection: Connection) -> None:
    """Make the table as the CLI makes it; a table that is whole is not touched. Raises psycopg.Error."""
    if not {"version", "name", "statements"} <= history_columns(connection):
        for statement in statements("history_create").split(";"):
            connection.execute(statement)


def write_history(connection: Connection, row: HistoryRow) -> None:
    """Insert one row in the caller's transaction. Raises psycopg UniqueViolation where the version is there already."""
    columns = history_columns(connection)
    if "version" not in columns:
        raise Refused("There is no table supabase_migrations.schema_migrations. Baseline the stream first.")
    values: dict[str, object] = {"version": row.version, "name": row.name}
    values["statements"] = list(row.statements) if row.statements is not None else None
    given = {name: value for name, value in values.items() if name in columns}
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            TABLE,
            sql.SQL(", ").join(map(sql.Identifier, given)),
            sql.SQL(", ").join(sql.Placeholder() for _ in given),
        ),
        list(given.values()),
    )
