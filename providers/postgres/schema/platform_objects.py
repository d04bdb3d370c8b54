"""What a platform keeps in schemas of its own (Supabase: auth, storage), so that a copy without it can have its like.

In: a session of the target; a session of a copy. Out: Around; what was made there. Rights and rows stay out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg

from providers.postgres.connection import Connection, statements

THERE = {"schema": "to_regnamespace", "type": "to_regtype", "table": "to_regclass", "function": "to_regprocedure"}
EXTENSIONS = (
    "SELECT x.extname::pg_catalog.text, n.nspname::pg_catalog.text FROM pg_catalog.pg_extension x"
    " JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace WHERE x.extname <> 'plpgsql'"
)


@dataclass(frozen=True)
class StandIn:
    """`more`: defaults, each of which may be wanting."""

    kind: str
    name: str
    sql: str
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class Around:
    """What a target has beside what is the product's own. `extensions`: each with its schema."""

    platform: tuple[StandIn, ...] = ()
    extensions: Mapping[str, str] = field(default_factory=dict)


def around(connection: Connection, schemas: list[str]) -> Around:
    """What lies in these schemas, and every extension. Raises psycopg.Error."""
    rows = connection.execute(statements("platform_objects"), {"schemas": schemas}) if schemas else ()
    platform = tuple(StandIn(kind, name, text, tuple(more)) for _, kind, name, text, more in rows)
    return Around(platform, {str(name): str(schema) for name, schema in connection.execute(EXTENSIONS)})


def stand_in(copy: Connection, wanted: Iterable[StandIn]) -> list[str]:
    """Make what the copy has not, as far as its role can; what could not be made is missing there as before."""
    copy.execute("SET check_function_bodies = off")
    made = []
    for each in wanted:
        there = copy.execute(f"SELECT pg_catalog.{THERE[each.kind]}(%s) IS NULL".encode(), [each.name]).fetchone()
        if there == (True,) and _made(copy, each.sql):
            made.append(each)
    for text in (text for each in made for text in each.more):
        _made(copy, text)
    return [f"{each.kind} {each.name}" for each in made]


def _made(copy: Connection, text: str) -> bool:
    with suppress(psycopg.errors.ProgrammingError, psycopg.errors.FeatureNotSupported), copy.transaction():
        copy.execute(text.encode())
        return True
    return False
