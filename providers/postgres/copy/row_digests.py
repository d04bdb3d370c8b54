"""Row evidence: how many rows, and the sum of a 64-bit hash of every row (docs/design.md 7, "row evidence").

In: a connection, a table's columns and a range. Out: counts and sums that are equal in two databases when the rows are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql

from providers.postgres.connection import UNKNOWN_NAME, Connection, looking_in, statements
from providers.postgres.copy.snapshot import Range, Since
from providers.postgres.copy.stream import next_row
from providers.postgres.schema.model import Column, Name, qualified


@dataclass(frozen=True)
class Evidence:
    rows: int
    digest: str

    def __add__(self, other: Evidence) -> Evidence:
        return Evidence(self.rows + other.rows, str(int(self.digest) + int(other.digest)))


NOTHING = Evidence(0, "0")


def _value(column: Column) -> sql.Composable:
    name = sql.Identifier(column.name)
    if column.hashed_as == "value":
        return name
    if column.hashed_as == "output":
        text = 'CASE WHEN {0} IS NOT NULL THEN pg_catalog.concat({0}) COLLATE "C" END'
        return sql.SQL(text).format(name)
    return sql.SQL('({}::pg_catalog.text COLLATE "C")').format(name)


def row_hash(columns: Sequence[Column]) -> sql.Composable:
    """The expression for one row. Columns hashed as text are those whose binary hash differs between databases."""
    row = sql.SQL(", ").join(_value(column) for column in columns)
    return sql.SQL("pg_catalog.hash_record_extended(ROW({}), 0)").format(row)


def _sums(columns: Sequence[Column]) -> sql.Composable:
    if not columns:
        return sql.SQL("count(*), 0::text")
    return sql.SQL("count(*), coalesce(sum({}), 0)::text").format(row_hash(columns))


def evidence(
    connection: Connection, table: tuple[str, str], columns: Sequence[Column], part: Range | Since | None = None
) -> Evidence:
    """Count and digest of one range (or of the whole table), as the connection's snapshot sees it."""
    row = connection.execute(evidence_query(table, columns, part or Range())).fetchone()
    return Evidence(int(row[0]), str(row[1])) if row else NOTHING


def evidence_query(table: Name, columns: Sequence[Column], part: Range | Since) -> sql.Composed:
    """Its one row is such a count and digest."""
    return sql.SQL("SELECT {} FROM ONLY {} WHERE {}").format(_sums(columns), sql.Identifier(*table), part.where())


def next_evidence(connection: Connection) -> Evidence:
    """The answer to such a query that was sent together with others."""
    rows, digest = next_row(connection)
    return Evidence(int(rows), digest.decode())


def evidence_of_query(connection: Connection, query: sql.Composable, columns: Sequence[Column]) -> Evidence:
    """Of a query's rows, which have these columns."""
    row = connection.execute(sql.SQL("SELECT {} FROM ({}) answer").format(_sums(columns), query)).fetchone()
    return Evidence(int(row[0]), str(row[1])) if row else NOTHING


def evidence_of_all(connection: Connection, tables: Sequence[tuple[Name, Sequence[Column]]]) -> list[Evidence]:
    """Count and digest of each whole table, in their order and in one round trip."""
    one = "SELECT {}, {} FROM ONLY {}"
    each = [sql.SQL(one).format(n, _sums(columns), sql.Identifier(*name)) for n, (name, columns) in enumerate(tables)]
    return [
        Evidence(int(rows), digest) for _, rows, digest in sorted(connection.execute(sql.SQL(" UNION ALL ").join(each)))
    ]


def evidence_by_load(connection: Connection, table: tuple[str, str], columns: Sequence[Column]) -> dict[str, Evidence]:
    """Count and digest per loading transaction: a drill loads each segment in one or a savepoint, so `xmin` tells
    the segment."""
    query = sql.SQL("SELECT xmin::text, {} FROM ONLY {} GROUP BY 1").format(_sums(columns), sql.Identifier(*table))
    return {str(row[0]): Evidence(int(row[1]), str(row[2])) for row in connection.execute(query)}


def computed(connection: Connection, table: Name, columns: Sequence[Column]) -> tuple[list[Column], Evidence]:
    """Those of `columns` that the server computes and stores, and the evidence of what they hold: no copy brings it."""
    query = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attgenerated = 's' AND NOT attisdropped"
    stored = {row[0] for row in connection.execute(query, [sql.Identifier(*table).as_string()])}
    found = [column for column in columns if column.name in stored]
    return found, evidence_of_computed(connection, table, found) if found else NOTHING


def evidence_of_computed(connection: Connection, table: Name, columns: Sequence[Column]) -> Evidence:
    """An index's own function may name no schema: the planner looks into it."""
    try:
        with connection.transaction():
            return evidence(connection, table, columns)
    except UNKNOWN_NAME:
        with looking_in(connection):
            return evidence(connection, table, columns)


def partition_tree(connection: Connection, table: Name) -> list[Name]:
    """The root and its leaves, where a hash or an expression decides which of them holds a row of this leaf."""
    found = connection.execute(statements("partition_tree"), {"table": sql.Identifier(*table).as_string()})
    return [(str(schema), str(name)) for schema, name in found]


def whole_tree(
    connection: Connection,
    table: Name,
    columns: Sequence[Column],
    wanted: Mapping[str, Evidence],
    known: Collection[str],
) -> str:
    """The root of such a tree, if its leaves together hold what is `wanted` of each; `known` roots are not asked."""
    tree = partition_tree(connection, table)
    root, leaves = qualified(*tree[0]) if tree else "", [leaf for leaf in tree if qualified(*leaf) in wanted]
    if not root or root in known:
        return root
    found = sum((evidence(connection, leaf, columns) for leaf in leaves), NOTHING)
    return root if found == sum((wanted[qualified(*leaf)] for leaf in leaves), NOTHING) else ""


def own_transaction(connection: Connection, savepoint: bool = False) -> str:
    """The `xmin` of what the open transaction wrote, or the savepoint in it; empty for nothing."""
    query = "SELECT pg_current_xact_id_if_assigned()::xid::text"
    row = connection.execute(statements("own_savepoint") if savepoint else query).fetchone()
    return str(row[0] or "") if row else ""
