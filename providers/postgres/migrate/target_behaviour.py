"""What a target does by itself when rows change, and what a role could do there unseen. Read, nothing is changed.

In: a session that is not the one that applies. Out: Behaviour; sentences about the role.
"""

from __future__ import annotations

from dataclasses import dataclass

from providers.postgres.connection import Connection, statements
from providers.postgres.migrate.catalog_rows import fetch_rows

Relation = tuple[str, str]
# pg_trigger.tgtype (catalog/pg_trigger.h)
EVENTS = {4: "inserted", 8: "deleted", 16: "updated", 32: "truncated"}


@dataclass(frozen=True)
class Behaviour:
    """`references`: (child, parent, on delete, on update); `views`: (view, relation under it);
    `triggers`: (table, name, what it fires on, its function's text).
    """

    references: tuple[tuple[Relation, Relation, str, str], ...]
    views: tuple[tuple[Relation, Relation], ...]
    triggers: tuple[tuple[Relation, str, frozenset[str], str], ...]


def behaviour(connection: Connection) -> Behaviour:
    """Foreign keys that act, views that pass rows on, triggers whose functions can be read."""
    triggers = fetch_rows(connection, statements("effects_triggers"))
    oids = sorted({oid for *_, oid in triggers})
    texts = dict(fetch_rows(connection, statements("effects_functions"), {"oids": oids})) if oids else {}
    return Behaviour(
        tuple(
            ((a, b), (c, d), on_delete, on_update)
            for a, b, c, d, on_delete, on_update in fetch_rows(connection, statements("effects_references"))
        ),
        tuple(((a, b), (c, d)) for a, b, c, d in fetch_rows(connection, statements("effects_views"))),
        tuple(
            ((schema, table), name, frozenset(verb for bit, verb in EVENTS.items() if kind & bit), texts[oid])
            for schema, table, name, kind, oid in triggers
            if oid in texts
        ),
    )


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
