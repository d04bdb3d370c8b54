"""Which rights a role would need and has not. Read, nothing is changed.

In: a session of that role, needs. Out: the needs that would end with permission denied, with whose the thing is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from psycopg import sql

from providers.postgres.connection import Connection, statements
from providers.postgres.migrate.catalog_rows import fetch_rows

OPTION_SINCE = 160000  # a member without the SET option may not act as the role


class Need(NamedTuple):
    """`what`: "own", or "drop" (its schema's owner may too), also "own type", "drop function"; "own schema", "create
    in" a schema, "create schema", "be" a role, "change roles", or a privilege on a table. What is not there needs
    nothing."""

    what: str
    name: tuple[str, ...] = ()


def lacking(connection: Connection, needs: Sequence[Need]) -> list[tuple[int, str]]:
    """By their place among the needs; the owner where ownership is what is missing. Raises psycopg.Error."""
    rows = [
        {
            "at": at,
            "what": need.what,
            "name": ".".join(sql.Identifier(part).as_string(connection) for part in need.name),
        }
        for at, need in enumerate(needs)
    ]
    be = "SET" if connection.info.server_version >= OPTION_SINCE else "MEMBER"
    return [
        (int(at), str(owner))
        for at, owner in fetch_rows(connection, statements("rights_lacking"), {"needs": json.dumps(rows), "be": be})
    ]
