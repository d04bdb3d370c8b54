"""One look over the whole file before judging: what it secures or creates again, whether it is for Supabase."""

from __future__ import annotations

from migrations_registry.analysis.calls.jobs import JOBS, planned_names
from migrations_registry.analysis.parsing.identities import Identities, Token
from migrations_registry.analysis.parsing.nodes import (
    DML,
    dotted,
    inner_nodes,
    is_on,
    object_name,
    options,
    relation,
    strings,
)
from migrations_registry.analysis.parsing.parser import Node, Raw
from migrations_registry.analysis.routines import routine
from migrations_registry.analysis.state import EVERY, State

_SETTINGS = {"VariableSetStmt", "VariableShowStmt"}
_API_ROLES = {"anon", "authenticated", "service_role"}


def look_ahead(statements: list[Raw], data: bytes, state: State) -> None:
    """Fill `secured`, `secured_tables`, `replaced`, `exposed`, `changes_nothing`, `routines` and `other_names`."""
    state.changes_nothing = all(_only_reads(statement) for statement in statements)
    state.harmless_transactions = not state.assume_in_transaction and _harmless(statements, state.changes_nothing)
    for statement in reversed(statements):
        if statement.kind not in _SETTINGS and not _is_commit(statement):
            break
        state.last_settings.add(id(statement.node))
    state.exposed = state.facts is not None and state.facts.is_supabase
    state.counted = b"setval" in data.lower()
    names, plans = Identities(), b"cron" in data
    undone = _rolled_back(statements)
    for place, statement in enumerate(statements):
        if statement.kind == "CreateFunctionStmt":
            text = data[statement.start : statement.end].decode("utf-8", "replace").rstrip()
            made = routine(statement.node, text, state.scope.schemas[0])
            state.routines.setdefault(made.name[1], []).append(made)
        reader = _READERS.get(statement.kind)
        kept = (set(state.secured), set(state.secured_tables), set(state.replaced)) if place in undone else None
        if statement.kind == "DropStmt":
            state.secured_tables |= _dropped(statement.node, names)
        names.note(statement.node)
        if reader:
            reader(statement.node, state, names)
        if kept:
            state.secured, state.secured_tables, state.replaced = kept
        if plans:
            state.replaced |= {("job", JOBS, name) for name in planned_names(statement.node)}


def _rolled_back(statements: list[Raw]) -> set[int]:
    """Places of what a ROLLBACK of the file takes back: it guards nothing afterwards."""
    undone: set[int] = set()
    marks: dict[str, int] = {}
    begin = 0
    for place, statement in enumerate(statements):
        if statement.kind != "TransactionStmt":
            continue
        kind, name = statement.node["kind"].removeprefix("TRANS_STMT_"), statement.node.get("savepoint_name", "")
        if kind == "SAVEPOINT":
            marks[name] = place
        elif kind in ("ROLLBACK", "ROLLBACK_TO"):
            undone.update(range(marks.get(name, begin) if kind == "ROLLBACK_TO" else begin, place))
        elif kind != "RELEASE":
            begin, marks = place, {}
    return undone


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


def _alter(node: Node, state: State, names: Identities) -> None:
    for item in node["cmds"]:
        if item["AlterTableCmd"]["subtype"] == "AT_EnableRowSecurity":
            state.secured_tables.add(names.token(relation(node["relation"])))
            state.exposed = True


def _policy(node: Node, state: State, names: Identities) -> None:
    state.exposed = True
    state.uses.add(("policy", relation(node["table"])))
    state.replaced.add(("policy", relation(node["table"]), node["policy_name"]))


def _trigger(node: Node, state: State, names: Identities) -> None:
    state.replaced.add(("trigger", relation(node["relation"]), node["trigname"]))


def _grant(node: Node, state: State, names: Identities) -> None:
    if node.get("is_grant") and any(item["RoleSpec"].get("rolename") in _API_ROLES for item in node["grantees"]):
        state.exposed = True
    functions = {object_name(item) for item in node.get("objects", []) if "ObjectWithArgs" in item}
    if node.get("is_grant"):
        roles = [item["RoleSpec"].get("rolename", "anon") for item in node["grantees"]]
        state.uses.update((role, name) for role in roles for name in functions)
    if not node.get("is_grant") and any(item["RoleSpec"]["roletype"] == "ROLESPEC_PUBLIC" for item in node["grantees"]):
        state.secured |= functions
    if node.get("is_grant") and node.get("objtype") == "OBJECT_TABLE":
        tables = [relation(item["RangeVar"]) for item in node.get("objects", []) if "RangeVar" in item]
        state.uses.update(("grant", name) for name in tables or [EVERY])


def _fills(node: Node, state: State, names: Identities) -> None:
    """INSERT, COPY … FROM, MERGE and CREATE TABLE AS."""
    into = node.get("relation") or (node.get("into") or node.get("intoClause") or {}).get("rel")
    if into:
        state.uses.add(("rows", relation(into)))


def _default_privileges(node: Node, state: State, names: Identities) -> None:
    if node["action"].get("is_grant") and node["action"].get("objtype") == "OBJECT_TABLE":
        state.uses.add(("grant", EVERY))


def _dropped(node: Node, names: Identities) -> set[Token]:
    """Nobody reads a table that the file takes away again."""
    is_table = node["removeType"] == "OBJECT_TABLE"
    return {names.token(object_name(item)) for item in node["objects"]} if is_table else set()


def _create(node: Node, state: State, names: Identities) -> None:
    for element in node.get("tableElts", []):
        state.uses.add(
            ("type", dotted(strings(element.get("ColumnDef", {}).get("typeName", {}).get("names", [])) or [""]))
        )
        for item in [element, *element.get("ColumnDef", {}).get("constraints", [])]:
            if item.get("Constraint", {}).get("pktable", {}).get("schemaname") == "auth":
                state.exposed = True


def _view(node: Node, state: State, names: Identities) -> None:
    if is_on(options(node.get("options", [])).get("security_invoker", False)):
        state.secured_tables.add(names.token(relation(node["view"])))


def _rename(node: Node, state: State, names: Identities) -> None:
    """RENAME, SET SCHEMA: the name may then mean what had another name."""
    kind = node.get("renameType") or node["objectType"]
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
    "ViewStmt": _view,
    **dict.fromkeys(("InsertStmt", "CopyStmt", "MergeStmt", "CreateTableAsStmt", "SelectStmt"), _fills),
}
