"""Narrowing a manifest to what a restore wants: some tables, all in another schema, what is made together. Pure.

In: a manifest. Out: a smaller or moved manifest, or Refused. DDL moves by rewriting names that the catalogue wrote.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar

from psycopg import sql

from backups.archive.manifest import Manifest, Statement, Table
from providers.errors import Refused
from providers.postgres.schema.model import Column, Name, parted, qualified
from providers.postgres.schema.names import names, split

MOVED = frozenset({"table", "table_attach", "primary_key", "unique", "check", "exclusion", "foreign_key", "index"})
PLACES = (
    *("TABLE {} ", "TABLE ONLY {} ", "TABLE ONLY {}\n", "PARTITION {} ", "PARTITION OF {} "),
    *("REFERENCES {}(", " ON {} ", " ON ONLY {} "),
)
T = TypeVar("T")
ALONE = frozenset(["schema", "extension", "collation", "materialized_view_data"])
TOGETHER = 50  # a transaction of so many keeps a few hundred locks
TOGETHER_BYTES = 8 << 20  # of their tables' rows: nobody waits long for a sign of life, or for work done twice
PARENTS = "\nINHERITS ("  # of a table; pg_dump writes it behind the columns


def narrowed(manifest: Manifest, tables: Sequence[str] = ()) -> Manifest:
    """Only the named tables ("name" means public). Raises Refused for a table that the run does not hold."""
    if not tables:
        return manifest
    wanted = {name if "." in name else f"public.{name}" for name in tables}
    known = {table.qualified for table in manifest.tables}
    if wanted - known:
        missing, held = ", ".join(sorted(wanted - known)), ", ".join(sorted(known))
        raise Refused(f"Run {manifest.run} holds no table {missing}. Nothing was written. It holds: {held}.")
    narrowed = tuple(table for table in manifest.tables if table.qualified in wanted)
    made = _with_parents(manifest, wanted)
    statements = tuple(item for item in manifest.statements if _concerns(item, made))
    return replace(manifest, tables=narrowed, statements=statements)


def _with_parents(manifest: Manifest, wanted: set[str]) -> set[str]:
    """Inherited columns are in the parent's definition alone, so that one is made too; it stays empty."""
    definitions = {item.table: item.sql for item in manifest.statements if item.kind == "table"}
    made, waiting = set(wanted), list(wanted)
    while waiting:
        _, clause, parents = definitions.get(waiting.pop(), "").partition(PARENTS)
        for name in names("".join(next(split(parents, ")")))) if clause else ():
            parent = qualified(*name)
            if parent in definitions and parent not in made:
                made.add(parent)
                waiting.append(parent)
    return made


def beside(manifest: Manifest, existing: Collection[str]) -> Manifest:
    """Without the statements of tables that exist where it goes and that the run has no rows of: they are others'."""
    others = set(existing) - {table.qualified for table in manifest.tables}
    kept = tuple(item for item in manifest.statements if item.table not in others)
    return replace(manifest, statements=kept)


def refuse_unknown_chain(manifest: Manifest, chain: str) -> None:
    """A mistyped experiment would leave no decision at all. Raises Refused."""
    known = {head.chain for table in manifest.tables for head in table.chains or ()}
    if chain and chain not in known:
        raise Refused(
            f"Run {manifest.run} holds no chain of experiment {chain} ({len(known)} others). Nothing was written. "
            "Give the experiment's id as it is in the audit trail."
        )


def _concerns(item: Statement, wanted: set[str]) -> bool:
    return not item.table or (item.table in wanted and (not item.references or item.references in wanted))


def moved(manifest: Manifest, schema: str) -> Manifest:
    """Every table in one new schema; types and functions stay where they are. Raises Refused when names collide."""
    moving = [table.name for table in manifest.tables]
    twice = sorted({name for name in moving if moving.count(name) > 1})
    if twice:
        raise Refused(f"{', '.join(twice)} exists in two schemas of the run, so one schema cannot hold it all.")
    create = sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)).as_string()
    inside = {item.table for item in manifest.statements if item.kind == "table" and item.needed}
    statements = [
        _moved(item, schema, inside)
        for item in manifest.statements
        if item.kind in MOVED and item.table in inside and (not item.references or item.references in inside)
    ]
    return replace(
        manifest,
        tables=tuple(replace(table, schema=schema) for table in manifest.tables),
        statements=(Statement("before", "new_schema", schema, create, True), *statements),
    )


def _moved(item: Statement, schema: str, inside: set[str]) -> Statement:
    text, clause, parents = item.sql.partition(PARENTS) if item.kind == "table" else (item.sql, "", "")
    for parent in inside if clause else ():
        parent_schema, name = parted(parent)
        for old in _forms(parent_schema, name):
            moved_name = sql.Identifier(schema, name).as_string().replace("\\", "\\\\")
            parents = re.sub(rf"(?<![\w.\"]){re.escape(old)}(?=[,)])", moved_name, parents)
    for table in {item.table, item.references} - {""}:
        old_schema, name = parted(table)
        new = sql.Identifier(schema, name).as_string()
        for old in _forms(old_schema, name):
            for place in PLACES:
                text = text.replace(place.format(old), place.format(new))
                parents = parents.replace(place.format(old), place.format(new))
    references = qualified(schema, parted(item.references)[1]) if item.references else ""
    return replace(
        item, sql=text + clause + parents, table=qualified(schema, parted(item.table)[1]), references=references
    )


def _forms(schema: str, name: str) -> set[str]:
    """How Postgres or psycopg may have written the name: each part quoted or bare."""
    parts = [(part, sql.Identifier(part).as_string()) for part in (schema, name)]
    return {f"{schema}.{name}" for schema in parts[0] for name in parts[1]}


def shared_out(items: Iterable[T], among: int, weight: Callable[[T], int]) -> list[list[T]]:
    """The heaviest first, to whoever has least."""
    parts, weights = [list[T]() for _ in range(among)], [0] * among
    for item in sorted(items, key=lambda each: -weight(each)):
        place = weights.index(min(weights))
        parts[place].append(item)
        weights[place] += weight(item) + 1
    return parts


def in_order(manifest: Manifest) -> list[Table]:
    """Tables that others refer to come first. A circle of references is left in name order."""
    graph: dict[str, set[str]] = {table.qualified: set() for table in manifest.tables}
    for item in manifest.statements:
        if item.kind == "foreign_key" and {item.table, item.references} <= set(graph) and item.table != item.references:
            graph[item.table].add(item.references)
    try:
        return [manifest.table(name) for name in TopologicalSorter(graph).static_order()]
    except CycleError:
        return list(manifest.tables)


def batches(manifest: Manifest, statements: Sequence[Statement]) -> Iterator[list[Statement]]:
    """In order, small ones together; rows count where they are read, so after they came."""
    sizes = {table.qualified: table.raw_bytes for table in manifest.tables}
    batch: list[Statement] = []
    weight = 0
    for item in statements:
        size = sizes.get(item.table, 0) if item.phase == "after" else 0
        alone = item.kind in ALONE or (batch and _values(batch[-1]) != _values(item))
        if batch and (alone or batch[-1].kind in ALONE or len(batch) == TOGETHER or weight + size > TOGETHER_BYTES):
            yield batch
            batch, weight = [], 0
        batch.append(item)
        weight += size
    if batch:
        yield batch


def _values(item: Statement) -> bool:
    return item.kind == "sequence_value"


def hashed_columns(table: Table) -> list[Column]:
    """As its digest was computed over them."""
    return [Column(column.name, column.type, hashed_as=column.hashed_as) for column in table.columns]


def questioned(table: Table) -> tuple[Name, list[Column]]:
    """What a database is asked of its rows."""
    return (table.schema, table.name), hashed_columns(table)
