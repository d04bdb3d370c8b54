"""Counting beforehand what a condition matches. In: a reading session, questions. Out: numbers, None where it cannot.

Only PostgreSQL's own operators and functions can be found, row security must not hide rows, and nobody waits long.
"""

from __future__ import annotations

from collections.abc import Iterable

import psycopg

from providers.postgres.connection import Connection

SETTINGS = {"search_path": "pg_catalog", "row_security": "off", "statement_timeout": "1000ms", "lock_timeout": "200ms"}


def count_rows(connection: Connection, questions: Iterable[str]) -> list[int | None]:
    """One number per `SELECT count(*)`, in a transaction that cannot write. The session keeps other settings."""
    for name, value in SETTINGS.items():
        connection.execute("SELECT pg_catalog.set_config(%s, %s, false)", [name, value])
    return [_count(connection, question) for question in questions]


def _count(connection: Connection, question: str) -> int | None:
    try:
        row = connection.execute(question.encode()).fetchone()
    except psycopg.OperationalError:
        if connection.closed:
            raise
        return None
    except psycopg.Error:
        return None
    return int(row[0]) if row else None
