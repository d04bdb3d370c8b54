"""Whose an object is: the owner may change it, and row security does not bind the owner."""

from __future__ import annotations

from migrations_registry.analysis.model import AX, SECURITY, label
from migrations_registry.analysis.parsing.nodes import object_name, relation
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.rule_registry import on, on_alter, rule
from migrations_registry.analysis.state import State

OWNER = rule(
    "MC-OWNER",
    SECURITY,
    "gives {name} to {owner}: who may change it changes, and row security no longer binds the owner",
    "Leave objects with the role that runs migrations.",
    bad=("ALTER TABLE lines OWNER TO anon",),
    good=("CREATE TABLE x (a int)",),
)


@on_alter("ChangeOwner")
def change_owner(command: Node, alter: Node, state: State) -> None:
    """ALTER TABLE … OWNER TO."""
    if not state.is_new_relation(alter["relation"]):
        name, owner = label(relation(alter["relation"])), command["newowner"].get("rolename", "the current role")
        state.see(OWNER, None, None, AX, name=name, owner=owner)


@on("AlterOwnerStmt")
def change_other_owner(node: Node, state: State) -> None:
    """ALTER FUNCTION, SCHEMA, TYPE … OWNER TO; of what the file makes only where it runs with its owner's rights."""
    if _is_own(node, state):
        return
    name = label(object_name(node["object"])) if "object" in node else "a large object"
    state.see(OWNER, name=name, owner=node["newowner"].get("rolename", "the current role"))


def _is_own(node: Node, state: State) -> bool:
    if "object" not in node:
        return False
    name = object_name(node["object"])
    made = [each for each in state.routines.get(name[1], ()) if each.name == name and name in state.made_names]
    by_kind = {
        "OBJECT_SCHEMA": ("", name[1]) in state.made_names,
        "OBJECT_TYPE": name in state.made_types,
        "OBJECT_DOMAIN": name in state.made_types,
        "OBJECT_FUNCTION": bool(made) and not any(each.is_definer or each.replaces for each in made),
    }
    return by_kind.get(node["objectType"], False)
