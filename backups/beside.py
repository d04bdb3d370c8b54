"""A restore beside the live tables: who owns those may read it, so that a migration can bring rows over."""

from __future__ import annotations

import psycopg

from providers import postgres
from providers.postgres.restore import grants


def shared(dsn: str, schema: str) -> list[str]:
    """Grant the new schema for reading; one note. A refusal is a note too: the rows are there."""
    try:
        with postgres.connect(dsn, read_only=False) as connection:
            owners = grants.share(connection, schema)
    except psycopg.Error as error:
        return [postgres.explain(error, f"Granting {schema} for reading (its rows are there)").message]
    return [f"Readable by {', '.join(owners)}."] if owners else []
