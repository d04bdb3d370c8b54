"""Statements that carry another one: WITH, PREPARE and EXECUTE, EXPLAIN ANALYZE, CREATE TABLE AS, CREATE SCHEMA."""

from __future__ import annotations

from migrations_registry.analysis.dispatch import judge, judge_node
from migrations_registry.analysis.model import CONVENTION, EXECUTION, OPAQUE
from migrations_registry.analysis.parsing.comparisons import EVERY
from migrations_registry.analysis.parsing.nodes import inner_nodes, is_on, options
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.parsing.reach import reach
from migrations_registry.analysis.rule_registry import on, rule
from migrations_registry.analysis.rules.rows import CTE_DML
from migrations_registry.analysis.state import State

EXPLAIN_ANALYZE = rule(
    "MX-EXPLAIN-ANALYZE",
    EXECUTION,
    "EXPLAIN ANALYZE runs the statement: what that changes, is changed",
    "EXPLAIN without ANALYZE.",
    bad=("EXPLAIN ANALYZE DELETE FROM lines", "EXPLAIN (ANALYZE ON) SELECT 1"),
    good=("EXPLAIN DELETE FROM lines", "EXPLAIN (ANALYZE OFF) DELETE FROM lines"),
)
PREPARED = rule(
    "MX-PREPARE",
    CONVENTION,
    "executes prepared statement {name}, judged here",
    "Write the statement itself.",
    bad=("PREPARE x AS SELECT 1; EXECUTE x",),
    good=("PREPARE x AS DELETE FROM lines",),
)
UNSEEN_PREPARED = rule(
    "MX-UNSEEN-PREPARED",
    OPAQUE,
    "executes prepared statement {name}, which this file does not prepare: it may do anything",
    "Write the statement itself.",
    bad=("EXECUTE somewhere",),
    good=("PREPARE x AS SELECT 1; EXECUTE x",),
)


@on("SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")
def modifying_cte(node: Node, state: State) -> None:
    """Data-modifying statements below a statement: inside WITH they are easy to miss."""
    for kind, inner in inner_nodes(node):
        if kind in ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"):
            before = len(state.findings)
            with state.inside("WITH"):
                judge(kind, inner, state)
            destroys = kind == "DeleteStmt" or (kind == "UpdateStmt" and _takes_all(inner))
            if destroys and len(state.findings) > before:
                state.see(CTE_DML, verb=kind.removesuffix("Stmt").upper())


def _takes_all(update: Node) -> bool:
    return reach(update.get("whereClause"), update["relation"], others="fromClause" in update) == EVERY


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
        judge_node(node["query"], state)


@on("CreateSchemaStmt")
def schema_elements(node: Node, state: State) -> None:
    """CREATE SCHEMA with elements."""
    before = state.scope.schemas
    if "schemaname" in node and not node.get("if_not_exists"):
        state.made_names.add(("", node["schemaname"]))
    if "schemaname" in node:
        state.scope.schemas = (node["schemaname"],)
    for element in node.get("schemaElts", []):
        judge_node(element, state)
    state.scope.schemas = before
