"""Conditions that are true whatever they are asked of."""

from __future__ import annotations

from typing import Any

from migrations_registry.analysis.parsing.nodes import constant
from migrations_registry.analysis.parsing.parser import Node


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
