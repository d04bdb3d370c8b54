"""The sandbox's production database, by its DSN, for what the demo breaks and puts back.

In: a statement. Out: its rows. Raises Refused unless the database lies on this machine, ProviderError when it failed.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from psycopg import sql

from providers import postgres
from providers.errors import Refused
from providers.postgres.connection import Connection

HERE = ("127.0.0.1", "localhost", "::1")


def _database() -> Connection:
    """The sandbox's production database as its owner. Refused unless it lies on this machine."""
    dsn = os.environ.get("SAMPELIT_PRODUCTION_MIGRATION_DSN", "")
    if not dsn or urlsplit(dsn).hostname not in HERE:
        raise Refused("There is no sandbox database on this machine. Nothing was done; start the demo by `make run`.")
    connection = postgres.connect(dsn, read_only=False)
    connection.execute("SET search_path = public")
    return connection


def run(statement: str | sql.Composed, *values: str) -> list[tuple[str, ...]]:
    """One statement in a transaction of its own; its rows, if it has any."""
    with postgres.explained("The accident"):
        with _database() as connection:
            cursor = connection.execute(statement.encode() if isinstance(statement, str) else statement, values or None)
            return cursor.fetchall() if cursor.description else []
