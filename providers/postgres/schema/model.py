"""The frozen facts that the catalogue gives: columns, tables, the statements that rebuild a schema. Values only."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """`hashed_as` value, text, or output: what the type's output function gives (xml loses its declaration there)."""

    name: str
    type: str
    generated: bool = False
    hashed_as: str = "value"


@dataclass(frozen=True)
class Table:
    """`named` says a person asked for it by name, so finding it empty is worth a warning. `unplanned`: why no query
    reads it."""

    oid: int
    schema: str
    name: str
    kind: str
    pages: int
    size_bytes: int
    columns: tuple[Column, ...]
    binary_io: bool = True
    named: bool = False
    unplanned: str = ""

    @property
    def qualified(self) -> str:
        return qualified(self.schema, self.name)

    @property
    def key(self) -> tuple[str, str]:
        return self.schema, self.name

    @property
    def stored_columns(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if not column.generated)


@dataclass(frozen=True)
class SchemaObject:
    """One statement to rebuild something, before or after the rows; `needed` ones are built in every drill.

    `table` is the table it belongs to and `references` the one a foreign key leads to (schema.name), else empty.
    """

    phase: str
    kind: str
    name: str
    sql: str
    needed: bool = True
    table: str = ""
    references: str = ""


@dataclass(frozen=True)
class Catalog:
    tables: tuple[Table, ...]

    @property
    def data_tables(self) -> tuple[Table, ...]:
        return tuple(table for table in self.tables if table.kind == "r")


Name = tuple[str, str]


def qualified(schema: str, name: str) -> str:
    """schema.name, a schema that has a dot in quotes: `"a.b".c` and `a.b.c` are two tables."""
    plain = "." not in schema and not schema.startswith('"')
    return f"{schema if plain else quoted(schema)}.{name}"


def parted(text: str) -> Name:
    """What `qualified` was made of."""
    match = re.fullmatch(r'"((?:[^"]|"")+)"\.(.*)', text, re.DOTALL)
    schema, _, name = text.partition(".")
    return (match[1].replace('""', '"'), match[2]) if match else (schema, name)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
