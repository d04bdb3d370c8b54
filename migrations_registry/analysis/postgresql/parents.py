"""Tables on the other side of foreign keys that a statement ends: each is locked as strongly as the one it names.

In: a statement and what is known of keys. Out: relations and their locks (measured on 15 to 17).
"""

from __future__ import annotations

from collections.abc import Iterator

from migrations_registry.analysis.model import AX, Name, label
from migrations_registry.analysis.parsing.nodes import dotted, relation, strings
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.state import State

ENDING = frozenset(("DropStmt", "AlterTableStmt"))
Key = tuple[str, Name, tuple[str, ...]]  # constraint, parent, own columns


def parents(kind: str, node: Node, state: State) -> Iterator[tuple[Name, str]]:
    """Yield what DROP TABLE, DROP COLUMN and DROP CONSTRAINT lock besides what they name."""
    if kind == "DropStmt" and node["removeType"] == "OBJECT_TABLE":
        names = [dotted(strings(item["List"]["items"])) for item in node["objects"]]
        for name in names:
            yield from ((parent, AX) for _, parent, _ in keys_of(name, state) if parent not in names)
    elif kind == "AlterTableStmt" and "relation" in node:
        for item in node["cmds"]:
            yield from ((parent, AX) for parent in ended(item["AlterTableCmd"], relation(node["relation"]), state))


def ended(command: Node, name: Name, state: State) -> list[Name]:
    """The parents of keys that one ALTER TABLE subcommand ends."""
    what, verb = command.get("name"), command["subtype"]
    if verb == "AT_DropConstraint":
        return [parent for constraint, parent, _ in keys_of(name, state) if constraint == what]
    return [parent for _, parent, own in keys_of(name, state) if verb == "AT_DropColumn" and what in own]


def keys_of(name: Name, state: State) -> list[Key]:
    """Foreign keys of a table, of the live catalog and of the file."""
    facts = state.table(name)
    live = [(key, parent, own) for key, (parent, own) in facts.references.items()] if facts else []
    made = [(key, parent, own) for (of, key), (parent, own) in state.references.items() if of == name]
    return [key for key in live + made if not state.is_new(key[1])]


def also_waits(found: list[Name], state: State) -> str:
    """The same for a message; without a live catalog nobody knows all of them."""
    names = ", ".join(sorted({label(name) for name in found}))
    if names:
        return f", and {names} beside it: nobody can read or write what its foreign keys refer to meanwhile"
    return "" if state.facts else "; nobody can read or write what its foreign keys refer to meanwhile either"
