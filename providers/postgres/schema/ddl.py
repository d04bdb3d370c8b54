"""CREATE TABLE from catalogue facts. In: a Table. Out: a SchemaObject.

Types and expressions are texts that Postgres itself wrote (pg_get_expr, format_type).
"""

from __future__ import annotations

from psycopg import sql

from providers.postgres.schema.model import Column, SchemaObject, Table


def create_schema(name: str) -> SchemaObject:
    query = sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(name))
    return SchemaObject("before", "schema", name, query.as_string())


def _column(column: Column) -> sql.Composable:
    parts = [sql.Identifier(column.name), sql.SQL(column.type)]
    if column.collation:
        parts.append(sql.SQL(f"COLLATE {column.collation}"))
    if column.generated:
        parts.append(sql.SQL(f"GENERATED ALWAYS AS ({column.generated}) STORED"))
    if column.identity:
        parts.append(sql.SQL(f"GENERATED {'ALWAYS' if column.identity == 'a' else 'BY DEFAULT'} AS IDENTITY"))
    if column.not_null:
        parts.append(sql.SQL("NOT NULL"))
    return sql.SQL(" ").join(parts)


def create_table(table: Table) -> SchemaObject:
    """The statement for one table, partitioned table or partition, without constraints: those come after the rows."""
    name = sql.Identifier(table.schema, table.name)
    if table.parent:
        query = sql.SQL("CREATE TABLE {} PARTITION OF {} {}").format(name, sql.SQL(table.parent), sql.SQL(table.bound))
    else:
        columns = sql.SQL(", ").join(_column(column) for column in table.columns)
        query = sql.SQL("CREATE TABLE {} ({})").format(name, columns)
    if table.partition_key:
        query += sql.SQL(f" PARTITION BY {table.partition_key}")
    return SchemaObject("before", "table", table.qualified, query.as_string(), True, table.qualified, table.parent)


def column_default(table: Table, column: Column) -> SchemaObject:
    """A default is set after the rows, and is not needed by a drill: it may call functions that live elsewhere."""
    query = sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET DEFAULT {}").format(
        sql.Identifier(table.schema, table.name),
        sql.Identifier(column.name),
        sql.SQL(column.default),
    )
    return SchemaObject(
        "after", "default", f"{table.qualified}.{column.name}", query.as_string(), False, table.qualified
    )
