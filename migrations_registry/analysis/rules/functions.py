"""Functions: whose rights they run with, and what a call or a DO really runs."""

from __future__ import annotations

from migrations_registry.analysis.dispatch import judge_node
from migrations_registry.analysis.model import CONVENTION, OPAQUE, SECURITY
from migrations_registry.analysis.nested_statements import DO_BLOCK, body
from migrations_registry.analysis.parsing.nodes import function_name, inner_nodes, options, strings
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.postgresql.builtin_functions import is_known
from migrations_registry.analysis.rule_registry import on, rule
from migrations_registry.analysis.state import FileFunction, State

SECDEF = rule(
    "MS-SECDEF",
    SECURITY,
    "{name}() runs with its owner's rights and finds objects by the caller's search_path",
    "SET search_path = '' and qualify every name.",
    bad=(
        "CREATE FUNCTION x() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        "ALTER FUNCTION spare() SECURITY DEFINER",
    ),
    good=(
        "CREATE FUNCTION x() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT 1'",
        "CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ),
)
DO = rule(
    "MX-DO",
    CONVENTION,
    "a DO block: every statement in it is judged as if it stood here",
    "Write the statements at the top level.",
    bad=("DO $$ BEGIN PERFORM 1; END $$",),
    good=("SELECT 'DO $$ BEGIN PERFORM 1; END $$'",),
)
FUNCTION_CALL = rule(
    "MX-FN-CALL",
    CONVENTION,
    "calls {name}(), whose body stands in this file and is judged here",
    "Write the statements at the top level.",
    bad=("CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT x()",),
    good=("CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'",),
)
UNSEEN_CALL = rule(
    "MX-UNSEEN-CALL",
    OPAQUE,
    "calls {name}, whose body is not in this file: it may do anything",
    "Write out what it does, or create it in this file.",
    bad=("SELECT spare()", "CALL spare_procedure()", "DO $$ BEGIN PERFORM spare(); END $$"),
    good=("SELECT count(*) FROM orders", "SELECT now()"),
)


@on("CreateFunctionStmt")
def create_function(node: Node, state: State) -> None:
    """CREATE FUNCTION: kept for later calls; SECURITY DEFINER needs a fixed search_path."""
    given = options(node.get("options", []))
    settings = [
        item["DefElem"]["arg"]["VariableSetStmt"]
        for item in node.get("options", [])
        if item["DefElem"]["defname"] == "set"
    ]
    name = ".".join(part for part in strings(node["funcname"]) if part != "public")
    if given.get("security") is True and not any(setting.get("name") == "search_path" for setting in settings):
        state.see(SECDEF, name=name)
    texts = strings(given["as"]["List"]["items"]) if isinstance(given.get("as"), dict) else []
    atomic = [
        item
        for block in node.get("sql_body", {}).get("List", {}).get("items", [])
        for item in block.get("List", {}).get("items", [])
    ]
    state.functions[name] = FileFunction(
        str(given.get("language", "sql")).lower(),
        texts[0] if texts else "",
        state.source,
        str(given.get("volatility", "volatile")),
        atomic,
    )


@on("AlterFunctionStmt")
def alter_function(node: Node, state: State) -> None:
    """ALTER FUNCTION … SECURITY DEFINER, or RESET of its search_path."""
    actions = options(node.get("actions", []))
    settings = [
        item["DefElem"]["arg"]["VariableSetStmt"]
        for item in node.get("actions", [])
        if item["DefElem"]["defname"] == "set"
    ]
    resets = any(setting["kind"].startswith("VAR_RESET") for setting in settings)
    fixed = any(setting.get("name") == "search_path" and not resets for setting in settings)
    if resets or (actions.get("security") is True and not fixed):
        state.see(SECDEF, name=".".join(strings(node["func"]["objname"])))


@on("DoStmt")
def do(node: Node, state: State) -> None:
    """DO: its body runs at once."""
    given = options(node["args"])
    state.see(DO)
    body(str(given.get("language", "plpgsql")).lower(), str(given["as"]), _as_block(str(given["as"])), DO_BLOCK, state)


def _as_block(text: str) -> str:
    tag = "$body$"
    while tag in text:
        tag = tag[:-1] + "x$"
    return f"DO {tag}{text}{tag}"


@on("SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CallStmt")
def calls(node: Node, state: State) -> None:
    """Functions of this file are followed; unseen ones are opaque where the call is the point."""
    is_point = not node.keys() & {"relation"}
    for kind, call in inner_nodes(node):
        if kind != "FuncCall" and "funccall" not in node:
            continue
        name = function_name(call) if kind == "FuncCall" else ""
        if name:
            _call(name, is_point, state)
    if "funccall" in node:
        _call(function_name(node["funccall"]), True, state)


def _call(name: str, is_point: bool, state: State) -> None:
    known = state.functions.get(name)
    if known:
        state.see(FUNCTION_CALL, name=name)
        if known.atomic:
            with state.inside(f"function {name}()"):
                for item in known.atomic if state.hidden.count(state.hidden[-1]) == 1 else ():
                    judge_node(item, state)
        else:
            body(known.language, known.body, known.statement, f"function {name}()", state)
    elif not is_known(name):
        state.see(UNSEEN_CALL, OPAQUE if is_point else CONVENTION, name=f"{name}()")
