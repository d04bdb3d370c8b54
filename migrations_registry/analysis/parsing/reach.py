"""How many rows a condition of UPDATE or MERGE chooses, as far as its text tells: every one, many, or few.

In: the condition, its target. Out: EVERY, MANY or FEW. A form that is not known to choose few chooses many.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

from migrations_registry.analysis.parsing.comparisons import (
    EVERY,
    FEW,
    MANY,
    columns,
    compare,
    comparison,
    is_key,
    plain,
    sides_of,
    ties,
)
from migrations_registry.analysis.parsing.conditions import always_true
from migrations_registry.analysis.parsing.nodes import constant
from migrations_registry.analysis.parsing.parser import Node

_MOST_PAIRS = 30
_BATCH, _LARGE = 10_000, 1_000_000  # rows: so many are counted beforehand; so many are a whole table


def reach(where: Node | None, target: Node, others: bool) -> int:
    """`target`: its RangeVar; `others`: whether the statement names more relations (FROM, USING)."""
    if not where or always_true(where):
        return EVERY
    kind, node = next(iter(where.items()))
    if kind == "BoolExpr":
        return _combined(node, target, others)
    if kind == "NullTest":
        return _null_test(node)
    if not any(True for _ in columns(where)):
        return EVERY  # the same for all rows
    reader = _READERS.get(kind)
    return reader(node, target, others) if reader else MANY


def names_rows(where: Node | None, target: Node, others: bool) -> bool:
    """Whether it chooses few rows by comparing what names them. That a key is NULL names none: it may be a new one."""
    both = (where or {}).get("BoolExpr", {})
    parts = both["args"] if both.get("boolop") == "AND_EXPR" else [where or {}]
    return any("A_Expr" in part and reach(part, target, others) == FEW for part in parts)


def _combined(node: Node, target: Node, others: bool) -> int:
    parts = [reach(part, target, others) for part in node["args"]]
    if node["boolop"] == "AND_EXPR":
        tied = sum(ties(part.get("A_Expr", {})) for part in node["args"]) > 1
        return FEW if tied and not others else min(parts)
    if node["boolop"] == "OR_EXPR":
        pairs = combinations(node["args"][:_MOST_PAIRS], 2)
        return EVERY if any(_complement(one, other) for one, other in pairs) else max(parts)
    inner = node["args"][0]
    if "NullTest" in inner:
        flipped = inner["NullTest"]["nulltesttype"] == "IS_NULL"
        return _null_test({**inner["NullTest"], "nulltesttype": "IS_NOT_NULL" if flipped else "IS_NULL"})
    return FEW if parts[0] == EVERY else EVERY if _is_key_test(inner) else MANY


def _null_test(node: Node) -> int:
    if node["nulltesttype"] == "IS_NULL":
        return FEW if is_key(node["arg"]) else MANY
    return EVERY if is_key(node["arg"]) or not any(True for _ in columns(node["arg"])) else MANY


def _is_key_test(expression: Node) -> bool:
    return "A_Expr" in expression and any(is_key(side) for side in sides_of(expression["A_Expr"]))


def _complement(one: Node, other: Node) -> bool:
    """Of two conditions one always holds: x >= 0 or x < 0, x = 1 or x <> 1, x is null or x is not null, a or not a."""
    for first, second in ((one, other), (other, one)):
        negated = second.get("BoolExpr", {})
        if negated.get("boolop") == "NOT_EXPR" and plain(negated["args"][0]) == plain(first):
            return True
    if "NullTest" in one and "NullTest" in other:
        return bool(plain(one["NullTest"]["arg"]) == plain(other["NullTest"]["arg"]) and plain(one) != plain(other))
    if "A_Expr" not in one or "A_Expr" not in other:
        return False
    return _covers(comparison(one["A_Expr"]), comparison(other["A_Expr"]))


def _covers(one: tuple[str, str, Any], other: tuple[str, str, Any]) -> bool:
    if one[0] != other[0] or not one[0]:
        return False
    if {one[1], other[1]} in ({"=", "<>"}, {">=", "<"}, {">", "<="}, {">=", "<="}) and one[2] == other[2]:
        return True
    low, high = (one, other) if one[1].startswith(">") else (other, one)
    apart = low[1].startswith(">") and high[1].startswith("<") and type(low[2]) is type(high[2])
    return bool(apart and isinstance(low[2], int | str) and low[2] < high[2])


def _sublink(node: Node, target: Node, others: bool) -> int:
    query = node.get("subselect", {}).get("SelectStmt", {})
    sources = [item.get("RangeVar", {}).get("relname") for item in query.get("fromClause", [])]
    limit = constant(query["limitCount"]["A_Const"]) if "A_Const" in query.get("limitCount", {}) else None
    if isinstance(limit, int) and limit < _LARGE:
        return FEW if limit <= _BATCH else MANY
    if not sources or sources == [target["relname"]]:
        return EVERY if not sources else reach(query.get("whereClause"), target, others=False)
    return MANY


def _compared(node: Node, target: Node, others: bool) -> int:
    sides = sides_of(node)
    for side, other in (sides, sides[::-1]) if len(sides) == 2 else ():
        if always_true(other) and next(iter(side)) in ("A_Expr", "BoolExpr", "NullTest"):
            return reach(side, target, others)
    array = node.get("rexpr", {}) if node["kind"] == "AEXPR_OP_ANY" else {}
    return _sublink(array["SubLink"], target, others) if "SubLink" in array else compare(node, target, others)


def _column(node: Node, target: Node, others: bool) -> int:
    """A boolean column."""
    return MANY


def _tested(node: Node, target: Node, others: bool) -> int:
    """IS TRUE and its like."""
    chosen = reach(node["arg"], target, others)
    return chosen if node["booltesttype"] in ("IS_TRUE", "IS_NOT_FALSE", "IS_NOT_UNKNOWN") else max(chosen, MANY)


def _first(node: Node, target: Node, others: bool) -> int:
    """COALESCE of conditions."""
    return max(reach(item, target, others) for item in node["args"])


_READERS: dict[str, Callable[[Node, Node, bool], int]] = {
    "A_Expr": _compared,
    "SubLink": _sublink,
    "ColumnRef": _column,
    "BooleanTest": _tested,
    "CoalesceExpr": _first,
}
