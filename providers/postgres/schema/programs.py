"""What a database runs by itself: the text of its functions, and what hangs on its relations, operators and commands.

In: a connection whose search_path is empty. Out: frozen rows; names in their texts are qualified.
"""

from __future__ import annotations

from dataclasses import dataclass

from providers.postgres.connection import Connection, statements

Relation = tuple[str, str]


@dataclass(frozen=True)
class LiveRoutine:
    """`text`: its CREATE FUNCTION, where the language can be read; `runs`: functions of an aggregate, qualified."""

    schema: str
    name: str
    text: str
    extension: str
    language: str
    runs: tuple[str, ...]


@dataclass(frozen=True)
class LiveHook:
    """`events`: read, insert, update, delete, truncate, rebuild; `text`: SQL that runs the same."""

    relation: Relation
    events: frozenset[str]
    what: str
    text: str


@dataclass(frozen=True)
class LivePrograms:
    """`operators`: (name, schema, function, extension); `with_rows`, `with_ddl`: functions; `relatives`: pairs."""

    routines: tuple[LiveRoutine, ...] = ()
    hooks: tuple[LiveHook, ...] = ()
    operators: tuple[tuple[str, str, str, str], ...] = ()
    with_rows: tuple[str, ...] = ()
    with_ddl: tuple[str, ...] = ()
    relatives: tuple[tuple[Relation, Relation], ...] = ()


def read_programs(connection: Connection) -> LivePrograms:
    """Four questions to the catalog. Raises psycopg.Error when the server does not answer."""
    implicit = connection.execute(statements("live_implicit")).fetchall()
    return LivePrograms(
        routines=tuple(
            LiveRoutine(schema, name, text, extension, language, tuple(runs))
            for schema, name, text, extension, language, runs in connection.execute(statements("live_routines"))
        ),
        hooks=tuple(
            LiveHook((schema, name), frozenset(events.split(",")), what, text)
            for schema, name, events, what, text in connection.execute(statements("live_hooks"))
            if text
        ),
        operators=tuple(
            (name, schema, function, owner) for kind, name, schema, function, owner in implicit if kind == "operator"
        ),
        with_rows=tuple(row[3] for row in implicit if row[0] == "rows"),
        with_ddl=tuple(row[3] for row in implicit if row[0] == "ddl"),
        relatives=tuple(((a, b), (c, d)) for a, b, c, d in connection.execute(statements("live_relatives"))),
    )
