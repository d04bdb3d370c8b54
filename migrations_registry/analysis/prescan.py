"""One look over the whole file before judging: what it secures or creates again, whether it is for Supabase."""

from __future__ import annotations

from migrations_registry.analysis.model import Name
from migrations_registry.analysis.parsing.nodes import DML, inner_nodes, is_on, object_name, options, relation, strings
from migrations_registry.analysis.parsing.parser import Node, Raw
from migrations_registry.analysis.routines import routine
from migrations_registry.analysis.state import EVERY, State

_SETTINGS = {"VariableSetStmt", "VariableShowStmt"}
_API_ROLES = {"anon", "authenticated", "service_role"}


def look_ahead(statements: list[Raw], data: bytes, state: State) -> None:
    """Fill `secured`, `replaced`, `exposed`, `changes_nothing`, `routines` and `other_names`."""
    state.changes_nothing = all(_only_reads(statement) for statement in statements)
    state.harmless_transactions = not state.assume_in_transaction and _harmless(statements, state.changes_nothing)
    for statement in reversed(statements):
        if statement.kind not in _SETTINGS and not _is_commit(statement):
            break
        state.last_settings.add(id(statement.node))
    state.exposed = state.facts is not None and state.facts.is_supabase
    state.counted = b"setval" in data.lower()
    for statement in statements:
        if statement.kind == "CreateFunctionStmt":
            text = data[statement.start : statement.end].decode("utf-8", "replace").rstrip()
            made = routine(statement.node, text, state.scope.schemas[0])
            state.routines.setdefault(made.name[1], []).append(made)
        reader = _READERS.get(statement.kind)
        if reader:
            reader(statement.node, state)


def _is_commit(statement: Raw) -> bool:
    return statement.kind == "TransactionStmt" and statement.node["kind"] == "TRANS_STMT_COMMIT"


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
        return "intoClause" not in statement.node and not kinds & (DML - {"SelectStmt"} | {"FuncCall"})
    return statement.kind in ("TransactionStmt", "VariableSetStmt", "VariableShowStmt")


def _alter(node: Node, state: State) -> None:
    for item in node["cmds"]:
        if item["AlterTableCmd"]["subtype"] == "AT_EnableRowSecurity":
            _secure({relation(node["relation"])}, state)
            state.exposed = True


def _secure(names: set[Name], state: State) -> None:
    state.secured |= names - state.moved_open


def _policy(node: Node, state: State) -> None:
    state.exposed = True
    state.for_api.add(("policy", relation(node["table"])))
    state.replaced.add(("policy", relation(node["table"]), node["policy_name"]))


def _trigger(node: Node, state: State) -> None:
    state.replaced.add(("trigger", relation(node["relation"]), node["trigname"]))


def _grant(node: Node, state: State) -> None:
    if node.get("is_grant") and any(item["RoleSpec"].get("rolename") in _API_ROLES for item in node["grantees"]):
        state.exposed = True
    if not node.get("is_grant") and any(item["RoleSpec"]["roletype"] == "ROLESPEC_PUBLIC" for item in node["grantees"]):
        state.secured |= {object_name(item) for item in node["objects"] if "ObjectWithArgs" in item}
    if node.get("is_grant") and node.get("objtype") == "OBJECT_TABLE":
        tables = [relation(item["RangeVar"]) for item in node.get("objects", []) if "RangeVar" in item]
        state.for_api.update(("grant", name) for name in tables or [EVERY])


def _default_privileges(node: Node, state: State) -> None:
    if node["action"].get("is_grant") and node["action"].get("objtype") == "OBJECT_TABLE":
        state.for_api.add(("grant", EVERY))


def _drop(node: Node, state: State) -> None:
    """Nobody reads a table that the file takes away again."""
    if node["removeType"] == "OBJECT_TABLE":
        _secure({object_name(item) for item in node["objects"]}, state)


def _create_as(node: Node, state: State) -> None:
    _made_anew(node["into"]["rel"], node, state)


def _made_anew(table: Node, node: Node, state: State) -> None:
    """What stands before it was about another one."""
    if not node.get("if_not_exists"):
        state.secured.discard(relation(table))


def _create(node: Node, state: State) -> None:
    _made_anew(node["relation"], node, state)
    for element in node.get("tableElts", []):
        for item in [element, *element.get("ColumnDef", {}).get("constraints", [])]:
            if item.get("Constraint", {}).get("pktable", {}).get("schemaname") == "auth":
                state.exposed = True


def _view(node: Node, state: State) -> None:
    if is_on(options(node.get("options", [])).get("security_invoker", False)):
        state.secured.add(relation(node["view"]))


def _rename(node: Node, state: State) -> None:
    """RENAME, SET SCHEMA: the name may then mean what had another name."""
    kind = node.get("renameType") or node["objectType"]
    if kind == "OBJECT_TABLE" and relation(node["relation"]) not in state.secured:
        state.moved_open.add(relation(node["relation"]))
    if kind in _ROUTINES:
        old = strings(node["object"]["ObjectWithArgs"]["objname"])[-1]
        state.other_names.setdefault(node.get("newname", old), set()).add(old)


_ROUTINES = {"OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE"}
_READERS = {
    "RenameStmt": _rename,
    "AlterObjectSchemaStmt": _rename,
    "AlterTableStmt": _alter,
    "CreatePolicyStmt": _policy,
    "CreateTrigStmt": _trigger,
    "GrantStmt": _grant,
    "AlterDefaultPrivilegesStmt": _default_privileges,
    "CreateStmt": _create,
    "CreateTableAsStmt": _create_as,
    "DropStmt": _drop,
    "ViewStmt": _view,
}
