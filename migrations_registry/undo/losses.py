"""What a migration took from each table, from its measured effects and the schema before and after it. Pure.

In: effects as an application journals them, fingerprints. Out: TableLoss by table; sentences about what no copy holds.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from migrations_registry.effects.model import DELETED, DROPPED, REWRITTEN, SET_BACK, TRUNCATED, UPDATED
from migrations_registry.fingerprint import Fingerprint
from migrations_registry.undo.action import plain
from migrations_registry.undo.columns import COLUMN
from migrations_registry.undo.objects import Looks
from providers.postgres.schema.names import parts

Name = tuple[str, ...]
Effects = Iterable[Mapping[str, object]]
REFERENCES = re.compile(
    r" FOREIGN KEY \((?:\"(?:[^\"]|\"\")++\"|[^\"()])++\) REFERENCES ((?:\"(?:[^\"]|\"\")++\"|[^(\"])++)\("
)
# Outside of schema and rows, where neither a fingerprint nor a restore point looks.
BEYOND = frozenset({"role", "large object", "database", "tablespace", "pg_user_mapping", "server", "publication"})


@dataclass(frozen=True)
class TableLoss:
    """`rows` are gone, `values` of columns that stayed are others, `columns` are gone; `key`: its primary key."""

    table: Name
    key: tuple[str, ...]
    rows: bool
    values: tuple[str, ...]
    columns: tuple[str, ...]
    whole: bool = False


def renamed(effects: Effects, before: Fingerprint) -> frozenset[str]:
    """The quoted names, as the fingerprint has them, of what has another name now."""
    given_up = {tuple(_list(effect["name"])) for effect in effects if effect.get("renamed")}
    return frozenset(item.name for item in before.objects if parts(item.name) in given_up)


def table_losses(effects: Effects, looks: Looks) -> list[TableLoss]:
    """One a table that lost something; tables that others refer to come first. What went along with something that was
    dropped (a child of a table, a column of a type) is no effect of its own: the schemas tell."""
    before, after = looks.before, looks.after
    verbs: dict[Name, set[str]] = {}
    for effect in effects:
        verb, name = str(effect["verb"]), tuple(str(part) for part in _list(effect["name"]))
        if verb in (DELETED, TRUNCATED, UPDATED, REWRITTEN) and len(name) == 2:
            verbs.setdefault(name, set()).add(verb)
        if verb == DROPPED:
            lost = (item for item in looks.destroyed() if item.key not in after.by_key)
            gone = (item.name if item.kind == "table" else item.of for item in lost if item.kind in ("table", "column"))
            for table in gone:
                verbs.setdefault(parts(table), set()).add(DROPPED)
    return [_loss(table, verbs[table], before, after) for table in in_order(verbs, before) if _columns(before, table)]


def in_order(tables: Collection[Name], before: Fingerprint) -> list[Name]:
    """A circle of references is left in the order of names."""
    graph: dict[Name, set[Name]] = {table: set() for table in sorted(tables)}
    for item in before.objects:
        match = REFERENCES.search(item.sql) if item.kind == "constraint" else None
        if match and parts(item.of) in graph and parts(match[1]) in graph and parts(item.of) != parts(match[1]):
            graph[parts(item.of)].add(parts(match[1]))
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError:
        return list(graph)


def _loss(table: Name, verbs: set[str], before: Fingerprint, after: Fingerprint) -> TableLoss:
    old, left = _columns(before, table), _columns(after, table)
    if not left:
        return TableLoss(table, key_of(before, table), True, (), (), whole=True)
    dropped = tuple(name for name in old if name not in left)
    retyped = tuple(name for name in old if name in left and old[name] != left[name]) if REWRITTEN in verbs else ()
    values = tuple(name for name in old if name in left) if UPDATED in verbs else retyped
    return TableLoss(table, key_of(before, table), bool(verbs & {DELETED, TRUNCATED}), values, dropped)


def _columns(fingerprint: Fingerprint, table: Name) -> dict[str, str]:
    """Name → type of the stored ones."""
    items = [item for item in fingerprint.objects if item.kind == "column" and parts(item.of) == table]
    matches = [(item, COLUMN.match(plain(item))) for item in items]
    return {parts(item.name)[-1]: match["type"] for item, match in matches if match and not match["computed"]}


def key_of(fingerprint: Fingerprint, table: Name) -> tuple[str, ...]:
    for item in fingerprint.objects:
        if item.kind == "constraint" and parts(item.of) == table and " PRIMARY KEY (" in item.sql:
            listed = item.sql.partition(" PRIMARY KEY (")[2].partition(")")[0]
            return tuple(parts(name)[0] for name in listed.split(", "))
    return ()


def unrecoverable(effects: Effects) -> Iterator[str]:
    """What is told before and after: no copy holds it."""
    for effect in effects:
        name = ".".join(str(part) for part in _list(effect["name"]))
        if effect["verb"] == SET_BACK:
            yield f"The sequence {name} was set back: which numbers were given since, nobody knows."
        elif effect["verb"] != "created" and str(effect["kind"]) in BEYOND:
            yield f"The {effect['kind']} {name} lies outside of what is kept."


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []
