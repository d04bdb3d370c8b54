"""One look over the whole file before judging: what it secures or creates again, whether it is for Supabase."""

from __future__ import annotations

from migrations_registry.analysis.nodes import relation
from migrations_registry.analysis.parser import Node, Raw
from migrations_registry.analysis.state import State

_API_ROLES = {"anon", "authenticated", "service_role"}


def look_ahead(statements: list[Raw], state: State) -> None:
    """Fill `secured`, `replaced` and `exposed`."""
    state.exposed = state.facts is not None and state.facts.is_supabase
    for statement in statements:
        reader = _READERS.get(statement.kind)
        if reader:
            reader(statement.node, state)


def _alter(node: Node, state: State) -> None:
    for item in node["cmds"]:
        if item["AlterTableCmd"]["subtype"] == "AT_EnableRowSecurity":
            state.secured.add(relation(node["relation"]))
            state.exposed = True


def _policy(node: Node, state: State) -> None:
    state.exposed = True
    state.replaced.add(("policy", relation(node["table"]), node["policy_name"]))


def _trigger(node: Node, state: State) -> None:
    state.replaced.add(("trigger", relation(node["relation"]), node["trigname"]))


def _grant(node: Node, state: State) -> None:
    if any(item["RoleSpec"].get("rolename") in _API_ROLES for item in node["grantees"]):
        state.exposed = True


def _create(node: Node, state: State) -> None:
    for element in node.get("tableElts", []):
        for item in [element, *element.get("ColumnDef", {}).get("constraints", [])]:
            if item.get("Constraint", {}).get("pktable", {}).get("schemaname") == "auth":
                state.exposed = True


_READERS = {
    "AlterTableStmt": _alter,
    "CreatePolicyStmt": _policy,
    "CreateTrigStmt": _trigger,
    "GrantStmt": _grant,
    "CreateStmt": _create,
}
