"""Every statement that a text runs, hidden ones included, as the analysis follows them: what each may do.

In: SQL bytes, or the text of a function. Out: allowances.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from migrations_registry.analysis import analyse  # noqa: F401  enlists the rules
from migrations_registry.analysis.dispatch import judge, judge_node
from migrations_registry.analysis.nested_statements import body
from migrations_registry.analysis.parsing.constant_folding import HOLE
from migrations_registry.analysis.parsing.nodes import constant, function_name, inner_nodes
from migrations_registry.analysis.parsing.parser import Node, Raw, parse
from migrations_registry.analysis.state import State
from migrations_registry.effects.model import Allowance
from migrations_registry.effects.text.names import PATH, Scope
from migrations_registry.effects.text.object_rules import about_object
from migrations_registry.effects.text.rows import written
from migrations_registry.effects.text.statements import STATEMENTS

_OPEN = frozenset({"table", "foreign table", "database"})


def allowances(kind: str, node: Node, scope: Scope) -> Iterator[Allowance]:
    """What one node says by itself, without what it calls; the scope learns what it does to names. A table or database
    whose name is worked out as it runs may have any.
    """
    for each in _said(kind, node, scope):
        is_open = each.kinds <= _OPEN and any(HOLE in part for part in each.name)
        yield replace(each, name=()) if is_open else each


def _said(kind: str, node: Node, scope: Scope) -> Iterator[Allowance]:
    if kind == "VariableSetStmt" and node.get("name") == "search_path":
        scope.path = tuple(constant(item["A_Const"]) for item in node.get("args", []) if "A_Const" in item) or PATH
    for inner, call in inner_nodes(node) if kind == "SelectStmt" else ():
        if inner == "FuncCall" and function_name(call) == "set_config":
            _set_config(call, scope)
    if kind in STATEMENTS:
        yield from STATEMENTS[kind](node, scope)
    yield from about_object(kind, node, scope)
    yield from written(kind, node, scope)


def statement_allowances(item: Raw, state: State, scope: Scope) -> list[Allowance]:
    """What one statement of a file says, and all that it runs."""
    state.findings, state.touched, state.judged = [], {}, []
    try:
        judge(item.kind, item.node, state)
    except RecursionError:
        return []
    return [one for kind, node in state.judged for one in allowances(kind, node, scope)]


@lru_cache(maxsize=2000)
def function_allowances(definition: str) -> tuple[Allowance, ...]:
    """What a function's body says, from its CREATE FUNCTION, or a rule's actions; nothing where it cannot be read."""
    data = definition.encode("utf-8", "surrogatepass")
    items = [item for item in parse(data) if isinstance(item, Raw)]
    state, scope = State(assume_in_transaction=True, source=definition), Scope()
    for item in items:
        judge(item.kind, item.node, state)
        for option in item.node.get("options", []):
            setting = option["DefElem"].get("arg", {}).get("VariableSetStmt")
            if setting:
                list(allowances("VariableSetStmt", setting, scope))
    state.judged = []
    for action in (one for item in items if item.kind == "RuleStmt" for one in item.node.get("actions", [])):
        judge_node(action, state)
    for known in (routine for routines in state.routines.values() for routine in routines):
        body(known.language, known.body, known.statement, f"function {known.label}", state)
    return tuple(one for kind, node in state.judged for one in allowances(kind, node, scope))


def _set_config(call: Node, scope: Scope) -> None:
    given = [constant(item["A_Const"]) for item in call.get("args", []) if "A_Const" in item]
    if len(given) == 3 and given[0] == "search_path":
        scope.path = tuple(part.strip().strip('"') for part in str(given[1]).split(",") if part.strip())
