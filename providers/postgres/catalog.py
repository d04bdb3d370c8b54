"""What the catalogue says of a set of tables: columns, how each is copied and hashed, and the DDL to rebuild them.

In: a connection and names ("table", "schema.table", "schema.*", "*"). Out: frozen Catalog; Refused for unknown names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from providers.errors import Refused
from providers.postgres.audit_trail.chains import has_chain
from providers.postgres.audit_trail.verifier import read_verifier
from providers.postgres.connection import Connection, statements
from providers.postgres.schema.ddl import column_default, create_schema, create_table
from providers.postgres.schema.model import Catalog, Column, SchemaObject, Table

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
    tables = tuple(
        _table(row, columns, named) for row in connection.execute(statements("catalog_tables"), {"oids": oids})
    )
    types = sorted({oid for rows in columns.values() for row in rows for oid in row[11]})
    whole = any(name.endswith("*") for name in names)
    objects = _extensions(connection, oids, whole) + _objects(connection, tables, oids, types)
    if whole:
        prefixes = {name[:-2] for name in names if name.endswith(".*")}
        objects += _whole(connection, sorted({table.schema for table in tables} | prefixes))
    for table in tables:
        if has_chain(table):
            objects += tuple(read_verifier(connection, [table.schema], table.qualified))
    return Catalog(tables, objects)


def table_sizes(connection: Connection) -> dict[str, int]:
    """Every user table that the role sees, with the bytes of its rows (heap and TOAST, no indexes)."""
    return {f"{row[0]}.{row[1]}": int(row[2]) for row in connection.execute(statements("table_sizes"))}


def listed_tables(connection: Connection) -> list[Listed]:
    """The same with the planner's estimate of rows; None for a table that was never analysed."""
    return [
        Listed(f"{schema}.{name}", int(size), None if rows < 0 else int(rows))
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


def _whole(connection: Connection, schemas: Sequence[str]) -> tuple[SchemaObject, ...]:
    """Functions, views, triggers and free sequences of whole schemas; no proof depends on them."""
    rows = connection.execute(statements("catalog_whole"), {"schemas": list(schemas)})
    present = [name for name in schemas if schema_exists(connection, name)]
    return tuple(replace(create_schema(name), needed=False) for name in present) + tuple(
        SchemaObject(phase, kind, name, text, False, table) for phase, kind, name, text, table, _ in rows
    )


def _extensions(connection: Connection, oids: Sequence[int], whole: bool) -> tuple[SchemaObject, ...]:
    """What defaults and functions call; a server that does not offer one loses those, not the rows."""
    rows = connection.execute(statements("catalog_extensions"), {"oids": oids, "all": whole})
    return tuple(SchemaObject("before", "extension", name, text, False) for name, text in rows)


def _columns(connection: Connection, oids: Sequence[int]) -> dict[int, list[Row]]:
    columns: dict[int, list[Row]] = {oid: [] for oid in oids}
    for row in connection.execute(statements("catalog_columns"), {"oids": oids}):
        columns[row[0]].append(row)
    return columns


def _column(row: Row) -> Column:
    _, name, type_name, not_null, identity, generated, expression, collation, deterministic, leaves, _, _ = row
    by_value = deterministic and set(leaves) <= HASHED_BY_VALUE
    return Column(
        name=name,
        type=type_name,
        not_null=not_null,
        identity=identity.strip(),
        generated=expression if generated.strip() else "",
        default="" if generated.strip() else expression,
        collation=collation,
        hashed_as="value" if by_value else "text",
    )


def _table(row: Row, columns: Mapping[int, list[Row]], named: set[int]) -> Table:
    oid, schema, name, kind, rls, _, pages, size, key, parent, bound, depth = row
    return Table(
        oid=oid,
        schema=schema,
        name=name,
        kind=kind,
        row_security=rls,
        pages=pages,
        size_bytes=size,
        columns=tuple(_column(item) for item in columns[oid]),
        binary_io=all(item[10] for item in columns[oid]),
        named=oid in named,
        partition_key=key,
        parent=parent,
        bound=bound,
        depth=depth,
    )


def _objects(
    connection: Connection, tables: Sequence[Table], oids: Sequence[int], types: Sequence[int]
) -> tuple[SchemaObject, ...]:
    schemas = sorted({table.schema for table in tables})
    objects = [create_schema(name) for name in schemas]
    for _, kind, name, text, _ in connection.execute(statements("catalog_types"), {"types": types}):
        objects.append(SchemaObject("before", kind, name, text))
    sequences = connection.execute(statements("catalog_sequences"), {"oids": oids}).fetchall()
    objects += [SchemaObject("before", "sequence", row[0], row[1], True, row[3]) for row in sequences]
    objects += [create_table(table) for table in sorted(tables, key=lambda item: item.depth)]
    defaults = [column_default(table, column) for table in tables for column in table.columns if column.default]
    objects += defaults + [SchemaObject("after", "sequence_owner", row[0], row[2], False, row[3]) for row in sequences]
    for _, kind, name, text, inside, table, to in connection.execute(statements("catalog_after"), {"oids": oids}):
        needed = inside and kind in ("primary_key", "unique", "check", "exclusion", "foreign_key")
        objects.append(SchemaObject("after", kind, name, text, needed, table, to))
    return tuple(objects)
