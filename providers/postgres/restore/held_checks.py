"""What may refuse rows that passed once: CHECKs that ask for more than the row (the time, a setting, another table),
taken off while rows arrive; places among partitions and computed columns, let go where they refuse.

In: a session that owns the tables. Out: what was taken off, parents before children, to be put on again in that order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from providers.postgres.connection import Connection, statements
from providers.postgres.copy.row_digests import partition_tree
from providers.postgres.schema.model import Name, qualified

NOT_VALID = " NOT VALID"
THERE = f" It is there as{NOT_VALID}."
BESIDE_ROOT = (
    "its rows were compared, not their place: a hash, an expression or the order of text puts some into no or another "
    "partition in another database, where a restore brings them through the root, as far as that takes them"
)
THROUGH_ROOT = (
    "rows came through it, as a hash, an expression or the order of text puts them into other partitions here; their "
    "digest was compared for all partitions as one"
)
PARENT = (
    "SELECT n.nspname, c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent"
    " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE i.inhrelid = %s::regclass"
)
NOT_COMPUTED = "what computes it refuses rows of the run here: it is a plain column, and empty where they are"


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
        return f"{self.name} of {qualified(*self.owner)}"

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


def take_off(
    connection: Connection, tables: Sequence[str], nested: bool = False, order: bool = False
) -> list[HeldCheck]:
    """Of tables (schema.name) and their columns' domains; `nested`: also of domains that no ALTER DOMAIN validates;
    `order`: text has another one here, so also those that compare it.

    Once a parent's is gone, a child may turn out to have the same of its own. Raises psycopg.Error.
    """
    held: list[HeldCheck] = []
    wanted = {"tables": list(tables), "nested": nested, "order": order}
    while rows := connection.execute(statements("held_checks"), wanted).fetchall():
        found = [HeldCheck(kind, (schema, owner), *rest) for kind, schema, owner, *rest in rows]
        for check in found:
            connection.execute(check.statement("ALTER {kind} {owner} DROP CONSTRAINT {name}"))
        held += found
    return held


def detach(connection: Connection, table: Name) -> bool:
    """For good, where what decides of the place of its rows may answer otherwise here. Raises psycopg.Error."""
    tree = partition_tree(connection, table)
    if tree:
        (parent,) = connection.execute(PARENT, [sql.Identifier(*table).as_string()])
        query = sql.SQL("ALTER TABLE {} DETACH PARTITION {}")
        connection.execute(query.format(sql.Identifier(*parent), sql.Identifier(*table)))
    return bool(tree)


def let_go(connection: Connection, table: Name) -> list[tuple[str, list[str]]]:
    """Columns that code of the table's own computes, which refused to: plain ones from now on. Answers them, and which
    tables (schema.name) have them. Raises psycopg.Error.
    """
    found = connection.execute(statements("own_generated"), {"table": sql.Identifier(*table).as_string()}).fetchall()
    for schema, owner, column, _ in found:
        query = sql.SQL("ALTER TABLE {} ALTER COLUMN {column} DROP EXPRESSION, ALTER COLUMN {column} DROP NOT NULL")
        connection.execute(query.format(sql.Identifier(schema, owner), column=sql.Identifier(column)))
    return [(f"{qualified(schema, owner)}.{column}", holders) for schema, owner, column, holders in found]


def put_on(connection: Connection, check: HeldCheck, not_valid: bool = False) -> None:
    """Raises psycopg.Error where a row does not pass; `not_valid`: rows that are there need not."""
    how = NOT_VALID if not_valid else ""
    connection.execute(check.statement("ALTER {kind} {owner} ADD CONSTRAINT {name} {definition}" + how))
    if check.comment is not None:
        connection.execute(check.statement("COMMENT ON CONSTRAINT {name} ON {on} {owner} IS {comment}"))
