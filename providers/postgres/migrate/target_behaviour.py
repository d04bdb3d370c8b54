"""What a target does by itself when rows change, and what a role could do there unseen. Read, nothing is changed.

In: a session that is not the one that applies. Out: Behaviour; sentences about the role.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from providers.postgres.connection import Connection, statements
from providers.postgres.migrate.catalog_rows import Name, fetch_rows

Relation = tuple[str, str]
# pg_trigger.tgtype (catalog/pg_trigger.h)
EVENTS = {4: "inserted", 8: "deleted", 16: "updated", 32: "truncated"}
SCHEMA_CHANGES = frozenset({"created", "dropped", "altered"})


@dataclass(frozen=True)
class Behaviour:
    """`references`: (child, parent, on delete, on update); `views`: (view, relation under it);
    `triggers`: (table, or nothing, name, what it fires on, the text of its function or rule).
    """

    references: tuple[tuple[Relation, Relation, str, str], ...]
    views: tuple[tuple[Relation, Relation], ...]
    triggers: tuple[tuple[Relation | tuple[()], str, frozenset[str], str], ...]


def behaviour(connection: Connection) -> Behaviour:
    """Foreign keys that act, views that pass rows on, rules, triggers whose functions can be read."""
    triggers = fetch_rows(connection, statements("effects_triggers"))
    rules = fetch_rows(connection, statements("effects_rules"))
    oids = sorted({oid for *_, oid in triggers})
    texts = dict(fetch_rows(connection, statements("effects_functions"), {"oids": oids})) if oids else {}
    return Behaviour(
        tuple(
            ((a, b), (c, d), on_delete, on_update)
            for a, b, c, d, on_delete, on_update in fetch_rows(connection, statements("effects_references"))
        ),
        tuple(((a, b), (c, d)) for a, b, c, d in fetch_rows(connection, statements("effects_views"))),
        tuple(
            ((schema, table) if schema else (), f"{what} {name}", _fires_on(kind), text)
            for what, rows in (("trigger", _with_texts(triggers, texts)), ("rule", rules))
            for schema, table, name, kind, text in rows
        ),
    )


def role_states(connection: Connection) -> dict[tuple[str, str], str]:
    """By kind and name what each role is, has set and belongs to."""
    return {(kind, name): state for kind, name, state in fetch_rows(connection, statements("role_states"))}


def _with_texts(triggers: list[tuple[Any, ...]], texts: dict[int, str]) -> list[tuple[Any, ...]]:
    return [(*rest, texts[oid]) for *rest, oid in triggers if oid in texts]


def _fires_on(kind: int) -> frozenset[str]:
    return frozenset(verb for bit, verb in EVENTS.items() if kind & bit) if kind else SCHEMA_CHANGES


def held(connection: Connection, table: Name) -> tuple[int, int]:
    """About how many rows and bytes; of all tables where `table` is empty."""
    ((rows, size),) = fetch_rows(connection, statements("effects_size"), {"name": ".".join(table)})
    return int(rows), int(size)


def unseen_powers(connection: Connection) -> list[str]:
    """What the role could do that the effects of a transaction do not show; several versions know several settings."""
    powers = [str(row[0]) for row in fetch_rows(connection, statements("effects_powers"), {})]
    if connection.info.server_version >= 150000:
        powers += [
            f"it may set {name}"
            for name in ("track_counts", "session_replication_role", "allow_system_table_mods")
            if fetch_rows(connection, "SELECT pg_catalog.has_parameter_privilege(%s, 'SET')", [name]) == [(True,)]
        ]
    return powers


def dependents(connection: Connection, dropped: Iterable[Name]) -> list[tuple[str, str]]:
    """(kind, name) of what goes along with DROP … CASCADE of relations, types, schemas, columns; at most 100."""
    names = list(dropped)
    columns = [name for name in names if len(name) == 3]
    quoted = {name: sql.Identifier(*name).as_string(connection) for name in (*names, *(each[:2] for each in columns))}
    values = {
        "names": [quoted[name] for name in names if len(name) < 3],
        "extensions": [name[0] for name in names if len(name) == 1],
        "columns": [name[2] for name in columns],
        "tables": [quoted[name[:2]] for name in columns],
    }
    whole = tuple(".".join(name) + "." for name in names)
    found = fetch_rows(connection, statements("effects_dependents"), values)
    return [(kind, name) for kind, name in found if not name.startswith(whole)]
