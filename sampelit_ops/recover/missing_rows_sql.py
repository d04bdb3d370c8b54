"""One statement that brings missing rows back with the rows they lead to and those that a cascade took along. Pure.

In: a manifest, the table, the schema beside, maybe one key. Out: a WITH … INSERT. All parts see one snapshot and the
references are checked at its end, so their order does not matter (PostgreSQL 7.8.4, Data-Modifying Statements).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from psycopg import sql

from backups.archive.manifest import Manifest, Table
from providers.errors import Refused
from providers.postgres.schema.model import parted

_NAMES = r"""(?:"[^"]*+"|[^()"])*+"""  # a quoted name may hold parentheses
_REFERENCE = re.compile(rf"FOREIGN KEY \(({_NAMES})\) REFERENCES {_NAMES}\(({_NAMES})\)")
_PRIMARY_KEY = re.compile(rf"PRIMARY KEY \(({_NAMES})\)")


@dataclass(frozen=True)
class Reference:
    """`columns` of `child` name the `keys` of `parent`; `cascades` where a delete takes the child's rows along."""

    child: str
    columns: tuple[str, ...]
    parent: str
    keys: tuple[str, ...]
    cascades: bool


def missing_rows(manifest: Manifest, root: Table, beside: str, only: tuple[str, str] | None = None) -> sql.Composable:
    """`only` is (column, value) of the wanted rows of the root; None: every row that is missing."""
    inserts = [
        _insert(manifest, table, beside, condition) for table, condition in _wanted(manifest, root, beside, only)
    ]
    parts = [
        sql.SQL("{} AS (\n{}\n)").format(sql.Identifier(f"brought_{number}"), text)
        for number, text in enumerate(inserts[:-1], 1)
    ]
    if not parts:
        return inserts[-1]
    return sql.SQL("WITH {}\n{}").format(sql.SQL(",\n").join(parts), inserts[-1])


def references(manifest: Manifest) -> list[Reference]:
    """Read from the statements that Postgres wrote."""
    held = {table.qualified for table in manifest.tables}
    links = []
    for item in manifest.statements:
        match = _REFERENCE.search(item.sql) if item.kind == "foreign_key" else None
        if match and {item.table, item.references} <= held:
            cascades = "ON DELETE CASCADE" in item.sql
            links.append(Reference(item.table, _split(match[1]), item.references, _split(match[2]), cascades))
    return links


def tables_for(manifest: Manifest, root: str) -> list[str]:
    """Root, what it leads to, and what a cascade takes along with it (and what that leads to); nothing else."""
    links, reached, open_ones = references(manifest), [root], [root]
    while open_ones:
        here = open_ones.pop(0)
        beyond = [link.child for link in links if link.parent == here and link.cascades and here in _taken(links, root)]
        beyond += [link.parent for link in links if link.child == here]
        fresh = [name for name in dict.fromkeys(beyond) if name not in reached]
        reached += fresh
        open_ones += fresh
    return reached


def _taken(links: list[Reference], root: str) -> set[str]:
    """Root and every table whose rows go when root's rows go."""
    taken = {root}
    while fresh := {link.child for link in links if link.parent in taken and link.cascades} - taken:
        taken |= fresh
    return taken


def _wanted(
    manifest: Manifest, root: Table, beside: str, only: tuple[str, str] | None
) -> list[tuple[Table, sql.Composable]]:
    """(table, condition on its rows beside); the root's own insert comes last, as the statement itself."""
    links, taken = references(manifest), _taken(references(manifest), root.qualified)
    conditions = {root.qualified: _of_root(manifest, root, only)}
    order = [name for name in tables_for(manifest, root.qualified) if name != root.qualified]
    for name in [child for child in order if child in taken]:
        cascades = [link for link in links if link.child == name and link.cascades and link.parent in conditions]
        conditions[name] = _either(
            [_within(beside, link.columns, link.keys, link.parent, conditions) for link in cascades]
        )
    for name in [parent for parent in order if parent not in taken]:
        leading = [link for link in links if link.parent == name != link.child and link.child in conditions]
        conditions[name] = _either(
            [_within(beside, link.keys, link.columns, link.child, conditions) for link in leading]
        )
    return [(manifest.table(name), conditions[name]) for name in [*order, root.qualified]]


def _of_root(manifest: Manifest, root: Table, only: tuple[str, str] | None) -> sql.Composable:
    if only is None:
        return _is_missing(manifest, root)
    return sql.SQL("copy.{}::text = {}").format(sql.Identifier(only[0]), sql.Literal(only[1]))


def _within(
    beside: str, outer: tuple[str, ...], inner: tuple[str, ...], table: str, conditions: dict[str, sql.Composable]
) -> sql.Composable:
    """The row's columns are among those of the wanted rows of another table."""
    return sql.SQL("({}) IN (SELECT {} FROM {} AS copy WHERE {})").format(
        _names(outer), _names(inner), _place(beside, table), conditions[table]
    )


def _either(conditions: list[sql.Composable]) -> sql.Composable:
    return sql.SQL("({})").format(sql.SQL(" OR ").join(conditions))


def _insert(manifest: Manifest, table: Table, beside: str, condition: sql.Composable) -> sql.Composable:
    missing, names = _is_missing(manifest, table), _names(column.name for column in table.columns)
    where = missing if condition == missing else sql.SQL("{}\n  AND {}").format(condition, missing)
    return sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE\nSELECT {} FROM {} AS copy\nWHERE {}").format(
        sql.Identifier(table.schema, table.name), names, names, _place(beside, table.qualified), where
    )


def _is_missing(manifest: Manifest, table: Table) -> sql.Composable:
    live = sql.Identifier(table.schema, table.name)
    return sql.SQL("NOT EXISTS (SELECT FROM {} AS live WHERE {})").format(live, same_key(manifest, table))


def same_key(manifest: Manifest, table: Table) -> sql.Composable:
    """The rows named `live` and `copy` are the same one. Raises Refused for a table without a primary key."""
    pair = sql.SQL("live.{0} = copy.{0}")
    return sql.SQL(" AND ").join(pair.format(sql.Identifier(name)) for name in key_of(manifest, table))


def key_of(manifest: Manifest, table: Table) -> list[str]:
    """The primary key's columns, from the statement that Postgres wrote for it."""
    for item in manifest.statements:
        if item.kind == "primary_key" and item.table == table.qualified:
            match = _PRIMARY_KEY.search(item.sql)
            if match:
                return list(_split(match[1]))
    raise Refused(
        f"{table.qualified} has no primary key: its rows cannot be told apart. Nothing was written. Restore it whole."
    )


def _split(columns: str) -> tuple[str, ...]:
    return tuple(part.strip().strip('"') for part in columns.split(","))


def _names(columns: Iterable[str]) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _place(beside: str, qualified: str) -> sql.Composable:
    return sql.Identifier(beside, parted(qualified)[1])
