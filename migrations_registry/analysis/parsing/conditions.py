"""Conditions that are true whatever they are asked of, and policies that ask nothing of the row."""

from __future__ import annotations

from typing import Any

from migrations_registry.analysis.parsing.comparisons import bare, columns, is_key, sides_of
from migrations_registry.analysis.parsing.nodes import constant, strings
from migrations_registry.analysis.parsing.parser import Node

_CALLERS = {"anon", "authenticated"}


def always_true(expression: Node) -> bool:
    """Constants, comparisons of equal constants or of a column with itself, AND and OR of those."""
    kind, node = next(iter(expression.items()))
    if kind == "A_Const":
        return constant(node) is True
    if kind == "TypeCast":
        return always_true(node["arg"]) or str(_literal(node["arg"])).lower() in ("t", "true", "on", "1", "yes", "y")
    if kind == "BoolExpr":
        return _always_true_of(node)
    if kind == "A_Expr" and node["kind"] == "AEXPR_OP" and "lexpr" in node:
        return _compares_equal(node)
    return False


def _always_true_of(node: Node) -> bool:
    parts = node["args"]
    if node["boolop"] == "NOT_EXPR":
        inner = next(iter(parts[0].items()))
        return inner[0] == "A_Const" and constant(inner[1]) is False
    return (all if node["boolop"] == "AND_EXPR" else any)(always_true(part) for part in parts)


def never_true(expression: Node) -> bool:
    """Constants and what is put together of those; NULL is no no to a CHECK."""
    kind, node = next(iter(expression.items()))
    if kind == "BoolExpr":
        parts = node["args"]
        if node["boolop"] == "NOT_EXPR":
            return always_true(parts[0])
        return (any if node["boolop"] == "AND_EXPR" else all)(map(never_true, parts))
    if kind == "A_Const":
        return constant(node) is False
    if kind != "A_Expr" or node["kind"] != "AEXPR_OP" or strings(node["name"]) != ["="]:
        return False
    values = [_literal(side) for side in sides_of(node)]
    return None not in values and not any(isinstance(each, tuple) for each in values) and len({*values}) > 1


def _compares_equal(node: Node) -> bool:
    operator = node["name"][-1]["String"]["sval"]
    left, right = _literal(node["lexpr"]), _literal(node["rexpr"])
    if left is None or right is None:
        return False
    if operator in ("=", "<=", ">="):
        return bool(left == right)
    return operator in ("<>", "!=") and not isinstance(left, tuple) and not isinstance(right, tuple) and left != right


def _literal(expression: Node) -> Any:
    kind, node = next(iter(expression.items()))
    if kind == "A_Const":
        return constant(node)
    if kind == "ColumnRef":
        return ("column", *(part.get("String", {}).get("sval") for part in node["fields"]))
    return None


def asks_nothing(condition: Node) -> bool:
    """Of a row: true for every one, or for all who have signed in or carry one of the API's roles."""
    node = condition.get("BoolExpr", {})
    if node.get("boolop") in ("AND_EXPR", "OR_EXPR"):
        some = node["boolop"] == "OR_EXPR" and _fits_either_way(node["args"])
        return some or (all if node["boolop"] == "AND_EXPR" else any)(asks_nothing(part) for part in node["args"])
    if "NullTest" in condition:
        tested = condition["NullTest"]
        return tested["nulltesttype"] == "IS_NOT_NULL" and bool(_auth(tested["arg"]) or is_key(tested["arg"]))
    compared = condition.get("A_Expr", {})
    if any(_auth(side) == "role" for side in sides_of(compared)):
        return strings(compared["name"]) == ["="] and bool(_CALLERS & texts_in(compared))
    return always_true(condition)


def _fits_either_way(parts: list[Node]) -> bool:
    """A column is somebody's, or anybody's: `owner = auth.uid() OR owner IS NOT NULL`."""
    tests = [part["NullTest"] for part in parts if "NullTest" in part]
    given = {name[-1] for test in tests if test["nulltesttype"] == "IS_NOT_NULL" for name in columns(test["arg"])}
    sides = [side for part in parts for side in sides_of(part.get("A_Expr", {}))]
    return any(map(_auth, sides)) and any(name[-1] in given for side in sides for name in columns(side))


def _auth(expression: Node) -> str:
    """Which function of schema auth alone, also as Supabase advises to write it: (SELECT auth.uid())."""
    query = expression.get("SubLink", {}).get("subselect", {}).get("SelectStmt", {})
    if len(query.get("targetList", ())) == 1 and "fromClause" not in query:
        expression = query["targetList"][0]["ResTarget"]["val"]
    parts = strings(bare(expression).get("FuncCall", {}).get("funcname", []))
    return parts[1] if len(parts) == 2 and parts[0] == "auth" else ""


def texts_in(tree: Any) -> set[str]:
    """Every text that is written in it, and the names of its columns."""
    found: set[str] = set()
    stack = [tree]
    while stack:
        current = stack.pop()
        if isinstance(current, list):
            stack += current
        elif isinstance(current, dict):
            if "A_Const" in current:
                found.add(str(constant(current["A_Const"])))
            found |= set(strings(current["ColumnRef"]["fields"])) if "ColumnRef" in current else set()
            stack += current.values()
    return found
