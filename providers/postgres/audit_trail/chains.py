"""The audit trail's hash chains in SQL, with the real preimage written out inline.

In: a connection to the product's database or to a drill's. Out: the head of every chain; every row that breaks one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from providers.postgres.connection import Connection, statements
from providers.postgres.schema.model import Table

CHAIN_TABLE = "algorithm_audit_trail"
CHAIN_COLUMNS = frozenset(
    [
        "experiment_id",
        "visitor_id",
        "selected_variant_id",
        "segment_key",
        "decision_timestamp",
        "sequence_number",
        "previous_hash",
        "decision_hash",
    ]
)


@dataclass(frozen=True)
class ChainHead:
    chain: str
    rows: int
    first: int
    last: int
    head: str


@dataclass(frozen=True)
class ChainProblem:
    """`problem` is hash (the row's content does not give its hash), link, or sequence."""

    chain: str
    sequence: int
    problem: str


@dataclass(frozen=True)
class Damage:
    """`mark` is the same exactly when the same rows break in the same way."""

    problems: tuple[ChainProblem, ...] = ()
    total: int = 0
    mark: str = ""


def has_chain(table: Table) -> bool:
    return table.name == CHAIN_TABLE and {column.name for column in table.columns} >= CHAIN_COLUMNS


def chain_heads(connection: Connection, table: tuple[str, str]) -> list[ChainHead]:
    """Count, first and last sequence number and head hash of every chain, in the connection's snapshot."""
    query = sql.SQL(statements("chain_heads")).format(table=sql.Identifier(*table))
    return [ChainHead(str(row[0]), row[1], row[2], row[3], row[4]) for row in connection.execute(query)]


def chain_problems(connection: Connection, table: tuple[str, str], limit: int = 50) -> list[ChainProblem]:
    """The first rows that break a chain; empty when all hold."""
    return list(chain_damage(connection, table, limit).problems)


def hash_breaks(connection: Connection, table: tuple[str, str]) -> bool:
    """Recompute every hash: whether a row's content does not give its own. No order is needed."""
    return bool(_asked(connection, "chain_hash_breaks", table).rowcount)


def order_breaks(connection: Connection, table: tuple[str, str]) -> bool:
    """Whether a row does not follow the row before it, by its link or by its number."""
    return bool(_asked(connection, "chain_order_breaks", table).rowcount)


def _asked(
    connection: Connection, name: str, table: tuple[str, str], limit: int = 0
) -> psycopg.Cursor[tuple[Any, ...]]:
    text = sql.SQL(statements("json_text"))
    computed = sql.SQL(statements("chain_hash")).format(
        segment_key=text.format(value=sql.Identifier("segment_key")),
        visitor_id=text.format(value=sql.Identifier("visitor_id")),
    )
    parts = {"table": sql.Identifier(*table), "computed": computed, "limit": sql.Literal(limit)}
    return connection.execute(sql.SQL(statements(name)).format(**parts))


def chain_damage(connection: Connection, table: tuple[str, str], limit: int) -> Damage:
    """Recompute every hash and link: how many rows break a chain, and at most `limit` of them, where one does."""
    if not (hash_breaks(connection, table) or order_breaks(connection, table)):
        return Damage()
    rows = _asked(connection, "chain", table, limit).fetchall()
    problems = tuple(ChainProblem(str(row[0]), row[1], row[2]) for row in rows)
    return Damage(problems, int(rows[0][3]), str(rows[0][4]))


def chains_not_kept(connection: Connection, table: tuple[str, str], before: Sequence[ChainHead]) -> list[str]:
    """What an earlier run held and the table no longer begins with: the alarm that no neighbour check can give."""
    query = sql.SQL(statements("chain_kept")).format(table=sql.Identifier(*table))
    columns = [[getattr(head, name) for head in before] for name in ("chain", "rows", "last", "head")]
    return [
        f"Chain {chain}: the last proven run held {rows} rows up to its head, {now} of them are left"
        + ("." if same else " and the hash at that place is another.")
        for chain, rows, now, same in connection.execute(query, columns)
    ]


def keep_chain(connection: Connection, table: tuple[str, str], chain: str) -> int:
    """Delete the rows of every other chain; answers how many."""
    query = sql.SQL("DELETE FROM {} WHERE experiment_id::text <> %s").format(sql.Identifier(*table))
    return connection.execute(query, [chain]).rowcount


def describe(problems: Sequence[ChainProblem]) -> list[str]:
    words = {
        "hash": "its content does not give its decision_hash",
        "link": "its previous_hash is not the hash of the row before",
        "sequence": "its sequence number does not follow",
    }
    return [f"Chain {item.chain}, row {item.sequence}: {words[item.problem]}." for item in problems]
