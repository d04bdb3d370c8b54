"""One look over the whole file before judging: what it secures or creates again, whether it is for Supabase."""

from __future__ import annotations

from migrations_registry.analysis.parsing.nodes import inner_nodes, relation
from migrations_registry.analysis.parsing.parser import Node, Raw
from migrations_registry.analysis.state import State

_API_ROLES = {"anon", "authenticated", "service_role"}


def look_ahead(statements: list[Raw], state: State) -> None:
    """Fill `secured`, `replaced`, `exposed` and `changes_nothing`."""
    state.changes_nothing = all(_only_reads(statement) for statement in statements)
    state.harmless_transactions = not state.assume_in_transaction and _harmless(statements, state.changes_nothing)
    state.exposed = state.facts is not None and state.facts.is_supabase
    for statement in statements:
        reader = _READERS.get(statement.kind)
        if reader:
            reader(statement.node, state)


def _harmless(statements: list[Raw], changes_nothing: bool) -> bool:
    """Pairs of BEGIN and COMMIT that only read, or one BEGIN … ROLLBACK around everything."""
    kinds = [(index, raw.node["kind"][11:]) for index, raw in enumerate(statements) if raw.kind == "TransactionStmt"]
    if kinds == [(0, "BEGIN"), (len(statements) - 1, "ROLLBACK")]:
        return True
    pairs = all(kind == ("BEGIN", "COMMIT")[place % 2] for place, (_, kind) in enumerate(kinds))
    return changes_nothing and pairs and len(kinds) % 2 == 0


def _only_reads(statement: Raw) -> bool:
    if statement.kind == "SelectStmt":
        kinds = {kind for kind, _ in inner_nodes(statement.node)}
        return "intoClause" not in statement.node and kinds <= {"SelectStmt", "RangeVar"}
    return statement.kind in ("TransactionStmt", "VariableSetStmt", "VariableShowStmt")


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
    if node.get("is_grant") and any(item["RoleSpec"].get("rolename") in _API_ROLES for item in node["grantees"]):
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
