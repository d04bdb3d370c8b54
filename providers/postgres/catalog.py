"""What the catalogue says of a set of tables: columns, how each is copied and hashed.

In: a connection and names ("table", "schema.table", "schema.*", "*"). Out: frozen Catalog; Refused for unknown names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from providers.errors import Refused
from providers.postgres.connection import Connection, statements
from providers.postgres.schema.model import Catalog, Column, Table, qualified

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Listed:
    name: str
    size_bytes: int
    rows: int | None


# Types whose extended hash depends on the value alone, equal on every server; others are hashed as text
# (docs/design.md 7, "row evidence").
HASHED_BY_VALUE = frozenset(
    [
        "bool",
        "int2",
        "int4",
        "int8",
        "text",
        "varchar",
        "bpchar",
        "uuid",
        "timestamptz",
        "timestamp",
        "date",
        "time",
        "timetz",
        "interval",
        "numeric",
        "float4",
        "float8",
        "bytea",
        "jsonb",
        "inet",
        "cidr",
        "macaddr",
        "macaddr8",
        "name",
        "char",
    ]
)
PLATFORM_SCHEMAS = [
    "auth",
    "storage",
    "realtime",
    "_realtime",
    "extensions",
    "graphql",
    "graphql_public",
    "vault",
    "net",
    "pgbouncer",
    "pgsodium",
    "pgsodium_masks",
    "supabase_functions",
    "supabase_migrations",
    "cron",
]


def read_catalog(connection: Connection, names: Sequence[str], *, closure: bool = False) -> Catalog:
    """Resolve names (`closure`: and every table that foreign keys lead to) and read what is needed to copy them."""
    named, oids = _resolve(connection, names, closure)
    columns = _columns(connection, oids)
    rows = connection.execute(statements("catalog_tables"), {"oids": oids})
    return Catalog(tuple(_table(row, columns, named) for row in rows))


def read_names(connection: Connection, names: Sequence[str], *, closure: bool = False) -> list[Table]:
    """The same tables without size and columns, which cost most: enough to look whether they may be read, and lock."""
    _, oids = _resolve(connection, names, closure)
    query = (
        "SELECT c.oid::bigint, n.nspname, c.relname, c.relkind::text FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY (%s::oid[]) ORDER BY 2, 3"
    )
    rows = connection.execute(query, [oids])
    return [Table(oid, schema, name, kind, 0, 0, ()) for oid, schema, name, kind in rows]


def table_sizes(connection: Connection) -> dict[str, int]:
    """Every user table that the role sees, with the bytes of its rows (heap and TOAST, no indexes)."""
    return {qualified(row[0], row[1]): int(row[2]) for row in connection.execute(statements("table_sizes"))}


def listed_tables(connection: Connection) -> list[Listed]:
    """The same with the planner's estimate of rows; None for a table that was never analysed."""
    return [
        Listed(qualified(schema, name), int(size), None if rows < 0 else int(rows))
        for schema, name, size, rows in connection.execute(statements("table_sizes"))
    ]


def schema_exists(connection: Connection, name: str) -> bool:
    return connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", [name]).fetchone() is not None


def _resolve(connection: Connection, names: Sequence[str], closure: bool) -> tuple[set[int], list[int]]:
    values = {"names": list(names), "skipped": PLATFORM_SCHEMAS, "closure": closure}
    rows = connection.execute(statements("catalog_resolve"), values).fetchall()
    unknown = sorted(str(row[2]) for row in rows if row[0] == "unknown")
    if unknown:
        raise Refused(
            f"The database has no table {', '.join(unknown)} that this role can see. Nothing was copied. "
            "Correct the name in the policy (schema.table) and run again."
        )
    return {row[1] for row in rows if row[0] == "named"}, sorted(row[1] for row in rows if row[0] == "reached")


def _columns(connection: Connection, oids: Sequence[int]) -> dict[int, list[Row]]:
    columns: dict[int, list[Row]] = {oid: [] for oid in oids}
    for row in connection.execute(statements("catalog_columns"), {"oids": oids}):
        columns[row[0]].append(row)
    return columns


def _column(row: Row) -> Column:
    _, name, type_name, generated, deterministic, leaves, is_xml, _ = row
    by_value = deterministic and set(leaves) <= HASHED_BY_VALUE
    return Column(name, type_name, generated, "output" if is_xml else "value" if by_value else "text")


def _table(row: Row, columns: Mapping[int, list[Row]], named: set[int]) -> Table:
    """A parent's rows may all be its children's: that it is empty itself is no sign of anything."""
    oid, schema, name, kind, pages, size, has_children = row
    return Table(
        oid=oid,
        schema=schema,
        name=name,
        kind=kind,
        pages=pages,
        size_bytes=size,
        columns=tuple(_column(item) for item in columns[oid]),
        binary_io=all(item[7] for item in columns[oid]),
        named=oid in named and not has_children,
    )
