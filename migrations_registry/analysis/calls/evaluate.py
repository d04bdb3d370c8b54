"""Every name by which an expression or a statement runs something: calls, operators, columns that are calls.

In: a node. Out: findings in `state`.
"""

from __future__ import annotations

from collections.abc import Callable

from migrations_registry.analysis.calls.follow import call, candidates, follow, operate, unseen
from migrations_registry.analysis.calls.jobs import plan, plans
from migrations_registry.analysis.parsing.arguments import given_by
from migrations_registry.analysis.parsing.nodes import inner_nodes, strings
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.state import State

_BETWEEN = {"BETWEEN", "NOT BETWEEN", "BETWEEN SYMMETRIC", "NOT BETWEEN SYMMETRIC"}
_SAMPLING = {"bernoulli", "system", "system_rows", "system_time"}


def evaluate(node: Node, state: State) -> None:
    """Judge what computing it runs; each name once."""
    known: set[tuple[object, ...]] = set()
    for kind, inner in inner_nodes(node):
        if kind == "FuncCall" and plans(inner):
            plan(inner, node, state)
            if not any(not each.unread for each in candidates(strings(inner["funcname"]), given_by(inner), state)):
                continue
        reader = _READERS.get(kind)
        if reader is not None:
            name = reader(inner)
            if name is not None and name not in known:
                known.add(name)
                _run(kind, name, state)


def computes(node: Node) -> bool:
    """Whether any expression below it runs something by a name."""
    return not _READERS.keys().isdisjoint([kind for kind, _ in inner_nodes(node)])


Name = tuple[object, ...]


def _called(node: Node) -> Name:
    return (*strings(node["funcname"]), given_by(node))


def _operator(node: Node) -> Name | None:
    parts = node.get("name") or node.get("operName") or node.get("useOp")
    if not parts:
        return None
    name = tuple(strings(parts))
    return (">=",) if name[-1] in _BETWEEN else name


def _column(node: Node) -> Name | None:
    """`t.f` may be f(t), where f takes a row."""
    fields = node["fields"]
    return (fields[-1]["String"]["sval"],) if len(fields) > 1 and "String" in fields[-1] else None


def _method(node: Node) -> Name:
    return tuple(strings(node["method"]))


_READERS: dict[str, Callable[[Node], Name | None]] = {
    "FuncCall": _called,
    "A_Expr": _operator,
    "SubLink": _operator,
    "SortBy": _operator,
    "ColumnRef": _column,
    "RangeTableSample": _method,
}


def _run(kind: str, name: Name, state: State) -> None:
    parts = [str(part) for part in name]
    if kind == "FuncCall":
        call(parts[:-1], name[-1] if isinstance(name[-1], tuple) else None, state)
    elif kind == "ColumnRef":
        for routine in candidates(parts[:1], ("",), state):
            if routine.row_of:
                follow(routine, state)
    elif kind == "RangeTableSample":
        if parts[-1] not in _SAMPLING:
            unseen(state, "samples by", ".".join(parts))
    else:
        operate(parts, state)
