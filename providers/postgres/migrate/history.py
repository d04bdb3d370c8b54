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
    created_by: str = ""


@dataclass(frozen=True)
class Standpoint:
    """Who we are on this server, and why that role could not record a migration (empty: it can)."""

    role: str
    has_table: bool
    obstacle: str


def standpoint(connection: Connection) -> Standpoint:
    """Look, change nothing; the session itself may be read-only. Raises psycopg.Error."""
    row = connection.execute(statements("history_standpoint")).fetchone()
    assert row is not None  # noqa: S101 - one row joined to at most one
    role, replica, read_only, creates, has_table, records = row
    reasons = {
        "the server is a replica": replica,
        f"the role {role} only reads": read_only,
        f"the role {role} may not create anything in schema public": not creates,
        f"the role {role} may not write the migration history": not records,
    }
    return Standpoint(role, has_table, next((why for why, true in reasons.items() if true), ""))


def history_columns(connection: Connection) -> set[str]:
    """The table's columns; none means that there is no history table."""
    return {str(row[0]) for row in connection.execute(statements("history_columns"))}


def read_history(connection: Connection) -> list[HistoryRow]:
    """Every row in the CLI's order (versions are text). Raises psycopg.Error."""
    columns = history_columns(connection)
    if "version" not in columns:
        return []
    names = ("version", "name", "statements", "created_by")
    wanted = [sql.Identifier(name) if name in columns else sql.NULL for name in names]
    query = sql.SQL("SELECT {} FROM {} ORDER BY version COLLATE {}").format(
        sql.SQL(", ").join(wanted), TABLE, sql.Identifier("C")
    )
    return [
        HistoryRow(row[0], row[1], tuple(row[2]) if row[2] is not None else None, str(row[3] or ""))
        for row in connection.execute(query)
    ]


def ensure_history(connection: Connection) -> None:
    """Make the table as the CLI makes it; a table that is whole is not touched. Raises psycopg.Error."""
    if not {"version", "name", "statements"} <= history_columns(connection):
        for statement in statements("history_create").split(";"):
            connection.execute(statement)


def replace_history(connection: Connection, row: HistoryRow) -> None:
    """What `migration repair --status applied` leaves: this row, whatever the version's row said before."""
    remove_history(connection, row.version)
    write_history(connection, row)


def remove_history(connection: Connection, version: str) -> None:
    """What `migration repair --status reverted` leaves: no row; none there is fine too."""
    connection.execute(sql.SQL("DELETE FROM {} WHERE version = %s").format(TABLE), [version])


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
