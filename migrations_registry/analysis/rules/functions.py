"""Functions: whose rights they run with, and what a call, a DO, a WITH, a PREPARE or an EXPLAIN ANALYZE really runs."""

from __future__ import annotations

from migrations_registry.analysis.dispatch import judge
from migrations_registry.analysis.model import CONVENTION, EXECUTION, OPAQUE, SECURITY
from migrations_registry.analysis.nested_statements import DO_BLOCK, body
from migrations_registry.analysis.parsing.nodes import function_name, inner_nodes, is_on, options, strings
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.postgresql.builtin_functions import is_known
from migrations_registry.analysis.rule_registry import on, rule
from migrations_registry.analysis.rules.rows import CTE_DML, is_unbounded
from migrations_registry.analysis.state import FileFunction, State

SECDEF = rule(
    "MS-SECDEF", SECURITY, "{name}() runs with its owner's rights and finds objects by the caller's search_path",
    "SET search_path = '' and qualify every name.",
    bad=("CREATE FUNCTION x() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
    "ALTER FUNCTION spare() SECURITY DEFINER"),
    good=("CREATE FUNCTION x() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT 1'",
    "CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'"),
)  # fmt: skip
DO = rule(
    "MX-DO", CONVENTION, "a DO block: every statement in it is judged as if it stood here",
    "Write the statements at the top level.", bad=("DO $$ BEGIN PERFORM 1; END $$",),
    good=("SELECT 'DO $$ BEGIN PERFORM 1; END $$'",),
)  # fmt: skip
FUNCTION_CALL = rule(
    "MX-FN-CALL", CONVENTION, "calls {name}(), whose body stands in this file and is judged here",
    "Write the statements at the top level.",
    bad=("CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT x()",),
    good=("CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'",),
)  # fmt: skip
UNSEEN_CALL = rule(
    "MX-UNSEEN-CALL", OPAQUE, "calls {name}, whose body is not in this file: it may do anything",
    "Write out what it does, or create it in this file.", bad=("SELECT spare()", "CALL spare_procedure()",
    "DO $$ BEGIN PERFORM spare(); END $$"), good=("SELECT count(*) FROM orders", "SELECT now()"),
)  # fmt: skip
EXPLAIN_ANALYZE = rule(
    "MX-EXPLAIN-ANALYZE", EXECUTION, "EXPLAIN ANALYZE executes the statement", "EXPLAIN without ANALYZE.",
    bad=("EXPLAIN ANALYZE DELETE FROM lines", "EXPLAIN (ANALYZE ON) SELECT 1"), good=("EXPLAIN DELETE FROM lines",
    "EXPLAIN (ANALYZE OFF) DELETE FROM lines"),
)  # fmt: skip
PREPARED = rule(
    "MX-PREPARE", CONVENTION, "executes prepared statement {name}, judged here", "Write the statement itself.",
    bad=("PREPARE x AS SELECT 1; EXECUTE x",), good=("PREPARE x AS DELETE FROM lines",),
)  # fmt: skip
UNSEEN_PREPARED = rule(
    "MX-UNSEEN-PREPARED", OPAQUE, "executes prepared statement {name}, which this file does not prepare",
    "Write the statement itself.", bad=("EXECUTE somewhere",), good=("PREPARE x AS SELECT 1; EXECUTE x",),
)  # fmt: skip
_VOLATILITY = ("immutable", "stable")


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
                    _judge_node(item, state)
        else:
            body(known.language, known.body, known.statement, f"function {name}()", state)
    elif not is_known(name):
        state.see(UNSEEN_CALL, OPAQUE if is_point else CONVENTION, name=f"{name}()")


@on("SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")
def modifying_cte(node: Node, state: State) -> None:
    """Data-modifying statements below a statement: inside WITH they are easy to miss."""
    for kind, inner in inner_nodes(node):
        if kind in ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"):
            before = len(state.findings)
            with state.inside("WITH"):
                judge(kind, inner, state)
            destroys = kind == "DeleteStmt" or (kind == "UpdateStmt" and is_unbounded(inner))
            if destroys and len(state.findings) > before:
                state.see(CTE_DML, verb=kind.removesuffix("Stmt").upper())


@on("ExplainStmt")
def explain(node: Node, state: State) -> None:
    """EXPLAIN ANALYZE runs its statement."""
    if not is_on(options(node.get("options", [])).get("analyze", False)):
        return
    kind, inner = next(iter(node["query"].items()))
    state.see(EXPLAIN_ANALYZE, CONVENTION if kind == "SelectStmt" else EXECUTION)
    with state.inside("EXPLAIN ANALYZE"):
        judge(kind, inner, state)


@on("PrepareStmt")
def prepare(node: Node, state: State) -> None:
    """PREPARE only remembers."""
    state.prepared[node["name"]] = next(iter(node["query"].items()))


@on("ExecuteStmt")
def execute(node: Node, state: State) -> None:
    """EXECUTE runs what was prepared."""
    prepared = state.prepared.get(node["name"])
    if prepared is None:
        state.see(UNSEEN_PREPARED, name=node["name"])
        return
    state.see(PREPARED, name=node["name"])
    with state.inside(f"prepared {node['name']}"):
        judge(*prepared, state)


@on("CreateTableAsStmt", "CopyStmt", "DeclareCursorStmt")
def with_query(node: Node, state: State) -> None:
    """Statements that carry a query and run it."""
    if "query" in node:
        _judge_node(node["query"], state)


def _judge_node(node: Node, state: State) -> None:
    kind, inner = next(iter(node.items()))
    judge(kind, inner, state)


@on("CreateSchemaStmt")
def schema_elements(node: Node, state: State) -> None:
    """CREATE SCHEMA with elements."""
    for element in node.get("schemaElts", []):
        _judge_node(element, state)
