"""What a schema's definitions do not say: where sequences stand, which views are filled, what belongs to what.

In: a session and the archive's entries. Out: the statements that bring it back, links.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from providers.postgres.connection import Connection, statements
from providers.postgres.schema.archive import Entry
from providers.postgres.schema.model import SchemaObject

SEQUENCES_AT_ONCE = 200


def sequence_values(connection: Connection, entries: Sequence[Entry]) -> list[SchemaObject]:
    """The next value of every sequence that is rebuilt; a session may read on while others count."""
    made = {(entry.schema, entry.tag) for entry in entries if entry.kind == "SEQUENCE"}
    rows = connection.execute(statements("sequences")).fetchall()
    readable = [((schema, name), table) for schema, name, table, may in rows if may and (schema, name) in made]
    objects = []
    for start in range(0, len(readable), SEQUENCES_AT_ONCE):
        part = readable[start : start + SEQUENCES_AT_ONCE]
        asked = sql.SQL(" UNION ALL ").join(
            sql.SQL("SELECT {}, last_value, is_called FROM {}").format(number, sql.Identifier(*key))
            for number, (key, _) in enumerate(part)
        )
        for number, value, called in connection.execute(asked):
            key, table = part[number]
            text = sql.SQL("SELECT pg_catalog.setval({}, {}, {})").format(
                sql.Identifier(*key).as_string(), value, called
            )
            objects.append(SchemaObject("after", "sequence_value", ".".join(key), text.as_string(), True, table))
    return objects


def filled_views(connection: Connection, views: Sequence[Entry]) -> list[SchemaObject]:
    query = "SELECT oid::bigint FROM pg_class WHERE relkind = 'm' AND relispopulated"
    filled = {int(row[0]) for row in connection.execute(query)}
    text = sql.SQL("REFRESH MATERIALIZED VIEW {}")
    return [
        SchemaObject(
            "after",
            "materialized_view_data",
            f"{view.schema}.{view.tag}",
            text.format(sql.Identifier(view.schema, view.tag)).as_string(),
            False,
        )
        for view in views
        if view.oid in filled
    ]


def links(connection: Connection) -> dict[tuple[int, int], tuple[int, int]]:
    """What belongs to which relation (see `Archive`), in one value: a row for each costs more than all the rest."""
    row = connection.execute(statements("archive_links")).fetchone()
    return {(catalog, oid): (own, other) for catalog, oid, own, other in (row and row[0]) or ()}
