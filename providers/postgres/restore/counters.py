"""Sequences that stand behind the rows they number: the next INSERT is a duplicate key. In: a session. Out: facts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import sql

from providers.postgres.connection import Connection, statements


@dataclass(frozen=True)
class Behind:
    """`next` is what the sequence would give, `highest` what a column has."""

    schema: str
    name: str
    column: str
    next: int
    highest: int

    def __str__(self) -> str:
        return f"sequence {self.schema}.{self.name} gives {self.next}, {self.column} has {self.highest}"


def behind(connection: Connection) -> list[Behind]:
    """Each sequence once, with the highest number of all columns that it numbers."""
    found: dict[tuple[str, str], Behind] = {}
    for item in _looked_at(connection):
        known = found.get((item.schema, item.name))
        if known is None or known.highest < item.highest:
            found[item.schema, item.name] = item
    return [item for item in found.values() if item.highest >= item.next]


def _looked_at(connection: Connection) -> Iterator[Behind]:
    for schema, name, *table, column in connection.execute(statements("counted_columns")).fetchall():
        query = sql.SQL(
            "SELECT CASE WHEN s.is_called THEN s.last_value + 1 ELSE s.last_value END, coalesce(max({}), 0)"
            " FROM {} s LEFT JOIN {} ON true GROUP BY 1"
        ).format(sql.Identifier(column), sql.Identifier(schema, name), sql.Identifier(*table))
        for following, highest in connection.execute(query):
            yield Behind(schema, name, f"{'.'.join(table)}.{column}", int(following), int(highest))


def catch_up(connection: Connection, item: Behind) -> None:
    name = sql.Identifier(item.schema, item.name).as_string()
    connection.execute("SELECT pg_catalog.setval(%s::regclass, %s, true)", [name, item.highest])
