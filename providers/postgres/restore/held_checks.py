"""CHECKs that call functions, taken off while rows arrive: such a function may look into a table that comes later.

In: a session that owns the tables. Out: what was taken off, parents before children, to be put on again in that order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from providers.postgres.connection import Connection, statements
from providers.postgres.schema.model import Name


@dataclass(frozen=True)
class HeldCheck:
    table: Name
    name: str
    definition: str


def take_off(connection: Connection, tables: Sequence[str]) -> list[HeldCheck]:
    """Once a parent's is gone, a child may turn out to have the same of its own."""
    held: list[HeldCheck] = []
    while rows := connection.execute(statements("held_checks"), {"tables": list(tables)}).fetchall():
        found = [HeldCheck((schema, table), name, definition) for schema, table, name, definition in rows]
        for check in found:
            query = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
            connection.execute(query.format(sql.Identifier(*check.table), sql.Identifier(check.name)))
        held += found
    return held


def loosen(connection: Connection, table: Name) -> None:
    """Take off, for good, whatever may refuse a row because text has another order here. Raises psycopg.Error."""
    own = sql.Identifier(*table)
    for kind, check, schema, parent in connection.execute(statements("order_bound"), {"table": own.as_string()}):
        query = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(own, sql.Identifier(check))
        if kind == "PARTITION":
            query = sql.SQL("ALTER TABLE {} DETACH PARTITION {}").format(sql.Identifier(schema, parent), own)
        connection.execute(query)


def put_on(connection: Connection, check: HeldCheck, not_valid: bool = False) -> None:
    """Raises psycopg.Error where a row does not pass; `not_valid`: rows that are there need not."""
    query = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {} {}")
    names = sql.Identifier(*check.table), sql.Identifier(check.name)
    connection.execute(query.format(*names, sql.SQL(check.definition), sql.SQL("NOT VALID" if not_valid else "")))
