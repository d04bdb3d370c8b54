"""Statements that PostgreSQL refuses because they name one column twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from migrations_registry.analysis.model import EXECUTION
from migrations_registry.analysis.parsing.nodes import strings
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.rule_registry import on, rule
from migrations_registry.analysis.state import State

DUPLICATE_COLUMN = rule(
    "MT-DUPLICATE-COLUMN",
    EXECUTION,
    "names column {name} twice: PostgreSQL refuses the statement",
    "Name each column once.",
    bad=("UPDATE orders SET note = 'a', note = 'b' WHERE id = 1", "CREATE TABLE x (a int, a text)"),
    good=("UPDATE orders SET note = 'a', code = 'b' WHERE id = 1",),
)


def _report(names: Iterable[str], state: State) -> None:
    listed = list(names)
    if len(set(listed)) < len(listed):
        for name, times in Counter(listed).items():
            if times > 1:
                state.see(DUPLICATE_COLUMN, name=name)


def _assigned(targets: list[Node]) -> list[str]:
    """Columns assigned whole; parts of a composite (a.x) and elements (a[1]) may repeat among themselves."""
    whole = [target["ResTarget"]["name"] for target in targets if "indirection" not in target["ResTarget"]]
    parts = {target["ResTarget"]["name"] for target in targets if "indirection" in target["ResTarget"]}
    return whole + [name for name in parts if name in whole]


def _outputs(query: Node) -> list[str]:
    """The result columns' names of a SELECT, as far as the text tells."""
    while "larg" in query:
        query = query["larg"]
    return [name for target in query.get("targetList", []) if (name := _output(target["ResTarget"]))]


def _output(target: Node) -> str:
    if "name" in target:
        return str(target["name"])
    kind, node = next(iter(target.get("val", {"": {}}).items()))
    if kind == "A_Const":
        return "?column?"
    return (strings(node["fields"]) or [""])[-1] if kind == "ColumnRef" else ""


@on("UpdateStmt")
def update(node: Node, state: State) -> None:
    """UPDATE … SET a = 1, a = 2."""
    _report(_assigned(node["targetList"]), state)


@on("InsertStmt")
def insert(node: Node, state: State) -> None:
    """INSERT INTO t (a, a), and its ON CONFLICT DO UPDATE."""
    _report(_assigned(node.get("cols", [])), state)
    _report(_assigned(node.get("onConflictClause", {}).get("targetList", [])), state)


@on("MergeStmt")
def merge(node: Node, state: State) -> None:
    """MERGE's inserts and updates."""
    for clause in node["mergeWhenClauses"]:
        _report(_assigned(clause["MergeWhenClause"].get("targetList", [])), state)


@on("CreateStmt", "CreateForeignTableStmt")
def create(node: Node, state: State) -> None:
    """CREATE TABLE t (a int, a text)."""
    elements = node.get("base", node).get("tableElts", []) if "base" in node else node.get("tableElts", [])
    _report((element["ColumnDef"]["colname"] for element in elements if "ColumnDef" in element), state)


@on("ViewStmt")
def view(node: Node, state: State) -> None:
    """CREATE VIEW v (a, a), or AS SELECT 1 a, 2 a."""
    aliases = strings(node.get("aliases", []))
    _report(aliases or _outputs(node["query"].get("SelectStmt", {})), state)


@on("CreateTableAsStmt", "SelectStmt")
def select_into(node: Node, state: State) -> None:
    """SELECT 1 a, 2 a INTO t; CREATE TABLE t AS."""
    query = node.get("query", {}).get("SelectStmt", {}) if "query" in node else node
    if "query" in node or "intoClause" in node:
        _report(_outputs(query), state)
