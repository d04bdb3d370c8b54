"""Whether validated CHECKs already say what a partition's bounds ask for: then nobody has to read its rows.

In: a bound and CHECK expressions. Out: the proof, or none. Constants are compared as they are written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from migrations_registry.analysis.parsing.nodes import strings
from migrations_registry.analysis.parsing.parser import Node

Test = tuple[str, str, str]  # column, operator, constant
_SWAPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "<>": "<>"}
NOT_NULL = "IS NOT NULL"


def implied(bound: Node, checks: Iterable[Node], key: tuple[str, ...], required: frozenset[str]) -> bool:
    """CHECKs of the partition imply its bound; `key`: the parent's, where known; `required`: NOT NULL columns."""
    tests = {test for check in checks for test in _all_of(check)} | {(column, NOT_NULL, "") for column in required}
    columns = key if len(key) == 1 else () if key else {column for column, _, _ in tests}
    return any(_asks(bound, column) and all(_holds(test, tests) for test in _asks(bound, column)) for column in columns)


def excluded(bound: Node, checks: Iterable[Node], key: tuple[str, ...]) -> bool:
    """CHECKs of the default partition say that no row of it fits the bound: NOT (what the bound asks for)."""
    for check in checks:
        for part in _conjuncts(check):
            inner = part.get("BoolExpr", {})
            tests = set(_all_of(inner["args"][0])) if inner.get("boolop") == "NOT_EXPR" else set()
            column = next(iter(tests))[0] if tests else ""
            if tests and key in ((column,), ()) and tests <= set(_asks(bound, column)):
                return True
    return False


def _asks(bound: Node, column: str) -> list[Test]:
    """What every row of the partition must pass; nothing where that cannot be told."""
    if bound.get("strategy") == "r" and len(bound["lowerdatums"]) == 1:
        sides = ((">=", bound["lowerdatums"][0]), ("<", bound["upperdatums"][0]))
        values = [(sign, _constant(each)) for sign, each in sides if not _is_open(each)]
        tests = [(column, sign, text) for sign, text in values if text is not None]
        return [(column, NOT_NULL, ""), *tests] if len(tests) == len(values) else []
    if bound.get("strategy") == "l":
        listed = [_constant(each) for each in bound["listdatums"]]
        if None not in listed and "null" not in listed:
            return [(column, NOT_NULL, ""), (column, "in", "\n".join(sorted(str(text) for text in listed)))]
    return []


def condition(bound: Node, column: str) -> str:
    """What every row of the partition must pass, as SQL; empty where that cannot be told."""
    if bound.get("strategy") == "r" and len(bound["lowerdatums"]) == 1:
        sides = ((">=", bound["lowerdatums"][0]), ("<", bound["upperdatums"][0]))
        parts = [f"{column} {sign} {_literal(each)}" for sign, each in sides if not _is_open(each)]
        return " AND ".join([f"{column} IS NOT NULL", *parts])
    if bound.get("strategy") == "l" and _asks(bound, column):
        return f"{column} IS NOT NULL AND {column} IN ({', '.join(map(_literal, bound['listdatums']))})"
    return ""


def _literal(node: Node) -> str:
    text = str(_constant(node))
    while "TypeCast" in node:
        node = node["TypeCast"]["arg"]
    return "'" + text.replace("'", "''") + "'" if "sval" in node.get("A_Const", {}) else text


def _is_open(datum: Node) -> bool:
    """MINVALUE and MAXVALUE."""
    names = strings(datum.get("ColumnRef", {}).get("fields", []))
    return names in (["minvalue"], ["maxvalue"])


def _holds(wanted: Test, tests: set[Test]) -> bool:
    column, sign, constant = wanted
    if sign == "in":
        allowed = set(constant.split("\n"))
        return any(of == column and way == "in" and set(text.split("\n")) <= allowed for of, way, text in tests)
    return wanted in tests or (sign == ">=" and (column, ">", constant) in tests)


def _conjuncts(expression: Node) -> Iterator[Node]:
    both = expression.get("BoolExpr", {})
    if both.get("boolop") == "AND_EXPR":
        for part in both["args"]:
            yield from _conjuncts(part)
    else:
        yield expression


def _all_of(expression: Node) -> Iterator[Test]:
    """The tests that a row must pass together; one that cannot be read is a test that nothing asks for."""
    for part in _conjuncts(expression):
        test, call = part.get("NullTest"), part.get("A_Expr")
        if test and test["nulltesttype"] == "IS_NOT_NULL" and (column := _column(test["arg"])):
            yield column, NOT_NULL, ""
        elif call and (read := _comparison(call)):
            yield read
        else:
            yield "", "", json.dumps(part)


def _comparison(call: Node) -> Test | None:
    sign = call["name"][-1]["String"]["sval"]
    left, right = call["lexpr"], call.get("rexpr", {})
    if call["kind"] in ("AEXPR_IN", "AEXPR_OP_ANY") and sign == "=" and (column := _column(left)):
        items = right.get("List", {}).get("items") or right.get("A_ArrayExpr", {}).get("elements") or []
        texts = [_constant(item) for item in items]
        return (column, "in", "\n".join(sorted(map(str, texts)))) if texts and None not in texts else None
    if call["kind"] != "AEXPR_OP" or sign not in _SWAPPED:
        return None
    if column := _column(left):
        text = _constant(right)
    elif column := _column(right):
        text, sign = _constant(left), _SWAPPED[sign]
    if not column or text is None:
        return None
    return column, "in" if sign == "=" else sign, text


def _column(node: Node) -> str | None:
    names = strings(node["ColumnRef"]["fields"]) if "ColumnRef" in node else []
    return names[-1] if names else None


def _constant(node: Node) -> str | None:
    """A constant as text, whatever it is cast to."""
    while "TypeCast" in node:
        node = node["TypeCast"]["arg"]
    constant: dict[str, Any] = node.get("A_Const", {})
    if not constant:
        return None
    if constant.get("isnull"):
        return "null"
    for kind, inner in constant.items():
        if kind != "location" and isinstance(inner, dict):
            return str(next(iter(inner.values()), 0))
    return None
