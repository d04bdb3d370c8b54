"""Objects that a file renames or moves: what it says of the new name holds for the old one, and the other way round.

In: nodes, the scope of names. Out: pairs of names; allowances under both. What happened is told under the name that
others know, what was made in the file under its last one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.effects.model import Allowance, Name
from migrations_registry.effects.text.names import Scope

Rename = tuple[Name, Name]
_ROUNDS = 5


def renamed(kind: str, node: Node, scope: Scope) -> Iterator[Rename]:
    """(old, new) of ALTER … RENAME and SET SCHEMA."""
    if kind == "AlterObjectSchemaStmt":
        for name in _names(node, node["objectType"], scope):
            yield name, (node["newschema"], *name[1:])
    elif kind == "RenameStmt":
        for name in _names(node, node["renameType"], scope):
            yield name, (*name[:-1], node["newname"])


def under_both(found: Iterable[Allowance], renames: list[Rename]) -> list[Allowance]:
    """Every allowance also under the names that its object had or got."""
    known = dict.fromkeys(found)
    waiting = list(known)
    for _ in range(_ROUNDS):
        more = [other for each in waiting for other in _others(each, renames) if other not in known]
        known |= dict.fromkeys(more)
        waiting = more
    return list(known)


def _others(each: Allowance, renames: list[Rename]) -> Iterator[Allowance]:
    for pair in renames:
        for one, other in (pair, pair[::-1]):
            if one and each.name[: len(one)] == one:
                yield replace(each, name=(*other, *each.name[len(one) :]))


def _names(node: Node, kind: str, scope: Scope) -> list[Name]:
    if "relation" in node:
        return scope.relation(node["relation"], *([node["subname"]] if "subname" in node else []))
    if kind == "OBJECT_SCHEMA":
        return [(node["subname"],)]
    return [name for name in scope.object(kind, node["object"]) if name] if "object" in node else []
