"""The roles of a Sampelit server. In: an embedded server. Out: its roles, all with that server's own password."""

from __future__ import annotations

import psycopg
from psycopg import sql

from providers.embedded_postgres.server import EmbeddedPostgres

ROWS = "sampelit_rows"
ROLES = {
    "sampelit_owner": "NOLOGIN BYPASSRLS",
    "sampelit_export": "LOGIN BYPASSRLS",
    "sampelit_export_limited": "LOGIN",
    "sampelit_migration": "LOGIN BYPASSRLS",
    "sampelit_restore": "LOGIN CREATEDB BYPASSRLS",
    "sampelit_app": "LOGIN BYPASSRLS",
    ROWS: "LOGIN BYPASSRLS",
    "anon": "NOLOGIN",
    "authenticated": "NOLOGIN",
    "service_role": "NOLOGIN BYPASSRLS",
    "supabase_read_only_user": "NOLOGIN BYPASSRLS",
}
MEMBERSHIPS = [
    ("pg_read_all_data", "sampelit_export"),
    ("pg_read_all_stats", "sampelit_export"),
    ("sampelit_owner", "sampelit_migration"),
    ("pg_monitor", "sampelit_migration"),
    ("pg_signal_backend", "sampelit_migration"),
    ("sampelit_owner", "sampelit_restore"),
    ("pg_read_all_data", "sampelit_restore"),
    ("pg_read_all_stats", "sampelit_restore"),
    ("pg_read_all_data", "supabase_read_only_user"),
    ("pg_read_all_data", ROWS),
    ("pg_write_all_data", ROWS),
]


def create_roles(server: EmbeddedPostgres) -> None:
    """Create what is missing; none is a superuser, and the export role is read-only even where a grant slips.

    Those that are there become as declared: whoever restores a copy makes roles of these names, without a password.
    """
    with psycopg.connect(server.dsn()) as connection:
        present = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
        for name, options in ROLES.items():
            made = sql.SQL("ALTER" if name in present else "CREATE")
            values = (sql.Identifier(name), sql.SQL(options), sql.Literal(server.password))
            connection.execute(sql.SQL("{} ROLE {} WITH NOSUPERUSER {} PASSWORD {}").format(made, *values))
        for group, member in MEMBERSHIPS:
            connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(member)))
        for reader in ("sampelit_export", "sampelit_export_limited"):
            connection.execute(
                sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(sql.Identifier(reader))
            )


def grant_database(server: EmbeddedPostgres, name: str) -> None:
    """Who may connect to database `name`, and who may create schemas in it."""
    database = sql.Identifier(name)
    with psycopg.connect(server.dsn()) as connection:
        connection.execute(sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(database))
        for role in ROLES:
            connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, sql.Identifier(role)))
        for role in ("sampelit_owner", "sampelit_migration", "sampelit_restore"):
            connection.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, sql.Identifier(role)))
