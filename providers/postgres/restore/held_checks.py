"""CHECKs that ask for more than the row (the time, a setting, a table that comes later), taken off while rows arrive.

In: a session that owns the tables. Out: what was taken off, parents before children, to be put on again in that order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from providers.postgres.connection import Connection, statements
from providers.postgres.schema.model import Name

BY_ORDER = "its checks and bounds are by an order that is not here"
BY_HASH = (
    "its rows were compared, not their place: a hash or an expression of its partitions answers otherwise in another "
    "database, where a restore brings them through the root"
)
THROUGH_ROOT = (
    "rows came through it, as a hash or an expression puts them into other partitions here; their digest was compared "
    "for all partitions as one"
)


@dataclass(frozen=True)
class HeldCheck:
    """`kind`: TABLE or DOMAIN, called `owner`; `holders` (schema.name) have it, the owner and who inherits."""

    kind: str
    owner: Name
    name: str
    definition: str
    comment: str | None
    holders: Sequence[str]

    def __str__(self) -> str:
        return f"{self.name} of {'.'.join(self.owner)}"

    def statement(self, text: str) -> sql.Composed:
        """`text` with `{kind}`, `{owner}`, … in their places."""
        return sql.SQL(text).format(
            kind=sql.SQL(self.kind),
            owner=sql.Identifier(*self.owner),
            name=sql.Identifier(self.name),
            definition=sql.SQL(self.definition),
            on=sql.SQL("DOMAIN" if self.kind == "DOMAIN" else ""),
            comment=sql.Literal(self.comment),
        )


def take_off(connection: Connection, tables: Sequence[str], nested: bool = False) -> list[HeldCheck]:
    """Of tables (schema.name) and their columns' domains; `nested`: also of domains that no ALTER DOMAIN validates.

    Once a parent's is gone, a child may turn out to have the same of its own. Raises psycopg.Error.
    """
    held: list[HeldCheck] = []
    wanted = {"tables": list(tables), "nested": nested}
    while rows := connection.execute(statements("held_checks"), wanted).fetchall():
        found = [HeldCheck(kind, (schema, owner), *rest) for kind, schema, owner, *rest in rows]
        for check in found:
            connection.execute(check.statement("ALTER {kind} {owner} DROP CONSTRAINT {name}"))
        held += found
    return held


def loosen(connection: Connection, table: Name, order: bool) -> bool:
    """Take off, for good, what may refuse a right row: by another `order` of text, or a partition's hash or function.

    Answers whether there was something. Raises psycopg.Error.
    """
    own = sql.Identifier(*table)
    found = connection.execute(statements("order_bound"), {"table": own.as_string(), "order": order}).fetchall()
    for kind, check, schema, parent in found:
        query = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(own, sql.Identifier(check))
        if kind == "PARTITION":
            query = sql.SQL("ALTER TABLE {} DETACH PARTITION {}").format(sql.Identifier(schema, parent), own)
        connection.execute(query)
    return bool(found)


def put_on(connection: Connection, check: HeldCheck, not_valid: bool = False) -> None:
    """Raises psycopg.Error where a row does not pass; `not_valid`: rows that are there need not."""
    how = " NOT VALID" if not_valid else ""
    connection.execute(check.statement("ALTER {kind} {owner} ADD CONSTRAINT {name} {definition}" + how))
    if check.comment is not None:
        connection.execute(check.statement("COMMENT ON CONSTRAINT {name} ON {on} {owner} IS {comment}"))
