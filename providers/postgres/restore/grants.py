"""Grants of a schema that a restore made: whoever owns live tables may read it, nobody else."""

from __future__ import annotations

from psycopg import sql

from providers.postgres.catalog import PLATFORM_SCHEMAS
from providers.postgres.connection import Connection

OWNERS = """
    SELECT DISTINCT pg_get_userbyid(c.relowner) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname <> ALL (%s) AND n.nspname <> %s AND c.relowner <> current_user::regrole
"""


def share(connection: Connection, schema: str) -> list[str]:
    """USAGE and SELECT for the owners of every other table; their names."""
    owners = [str(row[0]) for row in connection.execute(OWNERS, [list(PLATFORM_SCHEMAS), schema])]
    quoted = sql.Identifier(schema)
    for owner in owners:
        role = sql.Identifier(owner)
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(quoted, role))
        connection.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}").format(quoted, role))
    return owners
