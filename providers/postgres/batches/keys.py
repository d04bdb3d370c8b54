"""A table's primary key as a way through it: where it ends, where the next batch ends, what lies between two places.

In: a session, a table, places as text (one value a column). Out: SQL. Rows are compared as PostgreSQL compares the key
itself, so its index serves (PostgreSQL 17, 9.25.5 Row Constructor Comparison).
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from providers.postgres.connection import Connection, statements
from providers.postgres.schema.model import Name

Place = tuple[str, ...]


@dataclass(frozen=True)
class Key:
    """The columns of a primary key in its order, with their types as SQL writes them."""

    table: Name
    columns: tuple[tuple[str, str], ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.columns)

    def between(self, alias: str, after: Place | None, up_to: Place) -> sql.Composable:
        """`after < key <= up_to`, under the name that the statement gives the table; none where its end is none."""
        if not up_to:
            return sql.SQL("false")
        upper = sql.SQL("{} <= {}").format(self._row(alias), self._values(up_to))
        if after is None:
            return upper
        return sql.SQL("{} > {} AND {}").format(self._row(alias), self._values(after), upper)

    def _row(self, alias: str) -> sql.Composable:
        listed = sql.SQL(", ").join(sql.Identifier(alias, name) for name in self.names)
        return sql.SQL("({})").format(listed) if len(self.columns) == 1 else sql.SQL("ROW({})").format(listed)

    def _values(self, place: Place) -> sql.Composable:
        values = [
            sql.SQL("{}::{}").format(sql.Literal(value), sql.SQL(kind))
            for value, (_, kind) in zip(place, self.columns, strict=True)
        ]
        listed = sql.SQL(", ").join(values)
        return sql.SQL("({})").format(listed) if len(values) == 1 else sql.SQL("ROW({})").format(listed)


def key_of(connection: Connection, table: Name) -> Key | None:
    """Of a table whose rows are all its own, or its partitions'; None: none can be walked by."""
    rows = connection.execute(statements("key_columns"), {"schema": table[0], "name": table[1]}).fetchall()
    return Key(table, tuple((str(name), str(kind)) for name, kind in rows)) if rows else None


def end_of(connection: Connection, key: Key) -> Place | None:
    """The greatest key there is now; None: the table is empty."""
    return _first(connection, key, sql.SQL("true"), 0, descending=True)


def end_of_batch(connection: Connection, key: Key, after: Place | None, size: int, end: Place) -> Place:
    """The key of the `size`th row behind `after`, at most `end`."""
    found = _first(connection, key, key.between(key.table[1], after, end), size - 1) if end else None
    return end if found is None else found


def _first(
    connection: Connection, key: Key, where: sql.Composable, skipped: int, *, descending: bool = False
) -> Place | None:
    order = sql.SQL(" DESC") if descending else sql.SQL("")
    query = sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {} OFFSET {} LIMIT 1").format(
        sql.SQL(", ").join(sql.SQL("{}::pg_catalog.text").format(sql.Identifier(name)) for name in key.names),
        sql.Identifier(*key.table),
        where,
        sql.SQL(", ").join(sql.Identifier(key.table[1], name) + order for name in key.names),
        sql.Literal(skipped),
    )
    row = connection.execute(query.as_string(connection).encode(), prepare=False).fetchone()
    return tuple(str(value) for value in row) if row else None


def about(connection: Connection, key: Key) -> int:
    """How many rows the statistics think there are; 0 where nobody looked yet."""
    where = {"schema": key.table[0], "name": key.table[1]}
    row = connection.execute(statements("rows_about"), where, prepare=False).fetchone()
    return max(0, int(row[0] or 0)) if row else 0
