"""Work out the text that EXECUTE would run, where it depends on nothing but constants; None where it does not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from migrations_registry.analysis.parsing.nodes import constant, function_name, strings
from migrations_registry.analysis.parsing.parser import Node, ParseError, parse_snippet

Env = Mapping[str, str]
_PLACE = re.compile(r"%(?:(\d+)\$)?([sIL%])")
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z")
MAX_TEXT = 1024 * 1024


def fold(expression: str, known: Env) -> str | None:
    """The constant value of a PL/pgSQL expression as text."""
    try:
        statements = parse_snippet(f"SELECT {expression}")
    except ParseError:
        return None
    if len(statements) != 1 or statements[0].kind != "SelectStmt":
        return None
    node = statements[0].node
    if set(node) - {"targetList", "limitOption", "op"} or len(node["targetList"]) != 1:
        return None
    try:
        return _text(node["targetList"][0]["ResTarget"].get("val"), known)
    except RecursionError:
        return None


def literal(node: Node | None) -> str | None:
    """The text of an expression of constants; None where it depends on anything else."""
    try:
        return _text(node, {})
    except RecursionError:
        return None


def fold_list(expression: str) -> list[str] | None:
    """The constant texts of ARRAY[…], which may be cast."""
    try:
        node = parse_snippet(f"SELECT {expression}")[0].node["targetList"][0]["ResTarget"]["val"]
    except (ParseError, KeyError, IndexError):
        return None
    while "TypeCast" in node:
        node = node["TypeCast"]["arg"]
    texts = [literal(item) for item in node.get("A_ArrayExpr", {}).get("elements", [])]
    known = [text for text in texts if text is not None]
    return known if len(known) == len(texts) and known else None


def _text(node: Node | None, known: Env) -> str | None:
    if not node:
        return None
    kind, inner = next(iter(node.items()))
    if kind == "A_Const":
        value = constant(inner)
        return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    if kind == "TypeCast":
        return _text(inner["arg"], known)
    if kind == "ColumnRef":
        names = strings(inner["fields"])
        return known.get(names[0]) if len(names) == 1 else None
    if kind == "A_Expr":
        return _joined(inner, known)
    return _called(inner, known) if kind == "FuncCall" else None


def _joined(node: Node, known: Env) -> str | None:
    if node["kind"] != "AEXPR_OP" or strings(node["name"]) != ["||"] or "lexpr" not in node:
        return None
    left, right = _text(node["lexpr"], known), _text(node["rexpr"], known)
    return None if left is None or right is None or len(left) + len(right) > MAX_TEXT else left + right


def _called(node: Node, known: Env) -> str | None:
    arguments = [_text(argument, known) for argument in node.get("args", [])]
    function = _FUNCTIONS.get(function_name(node))
    if function is None or any(argument is None for argument in arguments):
        return None
    try:
        return function([argument or "" for argument in arguments])
    except (IndexError, ValueError, TypeError):
        return None


def quote_identifier(text: str) -> str:
    """As quote_ident does, except that keywords are always quoted (the meaning is the same)."""
    return text if _PLAIN.match(text) else '"' + text.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """As quote_literal does."""
    quoted = "'" + text.replace("'", "''") + "'"
    return "E" + quoted.replace("\\", "\\\\") if "\\" in text else quoted


def _format(arguments: list[str]) -> str | None:
    template, values = arguments[0], arguments[1:]
    if "%" in _PLACE.sub("", template):
        return None
    following = iter(range(len(values)))

    def fill(match: re.Match[str]) -> str:
        if match[2] == "%":
            return "%"
        value = values[int(match[1]) - 1 if match[1] else next(following)]
        return value if match[2] == "s" else quote_identifier(value) if match[2] == "I" else quote_literal(value)

    try:
        return _PLACE.sub(fill, template)
    except StopIteration:
        return None


_FUNCTIONS: dict[str, Callable[[list[str]], Any]] = {
    "format": _format,
    "concat": "".join,
    "concat_ws": lambda given: given[0].join(given[1:]),
    "quote_ident": lambda given: quote_identifier(given[0]),
    "quote_literal": lambda given: quote_literal(given[0]),
    "lower": lambda given: given[0].lower(),
    "upper": lambda given: given[0].upper(),
    "chr": lambda given: chr(int(given[0])),
    "reverse": lambda given: given[0][::-1],
    "replace": lambda given: given[0].replace(given[1], given[2]),
    "btrim": lambda given: given[0].strip(*given[1:2] or (" ",)),
    "repeat": lambda given: given[0] * int(given[1]) if len(given[0]) * int(given[1]) <= MAX_TEXT else None,
}
