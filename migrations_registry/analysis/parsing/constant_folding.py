"""Work out the text that EXECUTE would run, where it depends on nothing but constants; None where it does not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from migrations_registry.analysis.parsing.nodes import constant, function_name, strings
from migrations_registry.analysis.parsing.parser import Node, ParseError, parse_snippet

Env = Mapping[str, str]
HOLE = "…"  # stands for a value that is not known and cannot be more than one word, or than what is quoted
OPEN = {"": HOLE}  # in an Env: leave holes
_PLACE = re.compile(r"%(?:(\d+)\$)?([sIL%])")
_PART = re.compile(r"[A-Za-z0-9_]+\Z")  # a pattern of to_char whose answer is a word
_WORDS = {"quote_ident": 1, "quote_literal": 1, "to_char": 2}  # function → arguments
_KEEP_HOLES = {"concat", "concat_ws", "lower", "upper"}
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
    if set(node) - {"targetList", "limitOption", "op"} or len(node.get("targetList", ())) != 1:
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
    name, arguments = function_name(node), [_text(argument, known) for argument in node.get("args", [])]
    function = _FUNCTIONS.get(name)
    if known.keys() >= OPEN.keys() and any(argument is None or HOLE in argument for argument in arguments):
        if name in _WORDS and len(arguments) == _WORDS[name] and (name != "to_char" or _PART.match(arguments[1] or "")):
            return f"'{HOLE}'" if name == "quote_literal" else HOLE
        function = function if name == "format" or (name in _KEEP_HOLES and None not in arguments) else None
    elif None in arguments:
        return None
    try:
        return function(arguments) if function else None
    except (IndexError, ValueError, TypeError):
        return None


def quote_identifier(text: str) -> str:
    """As quote_ident does, except that keywords are always quoted (the meaning is the same)."""
    return text if _PLAIN.match(text) else '"' + text.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """As quote_literal does."""
    quoted = "'" + text.replace("'", "''") + "'"
    return "E" + quoted.replace("\\", "\\\\") if "\\" in text else quoted


def _format(arguments: list[Any]) -> str | None:
    template, values = arguments[0], arguments[1:]
    if template is None or "%" in _PLACE.sub("", template):
        return None
    following = iter(range(len(values)))

    def fill(match: re.Match[str]) -> str:
        if match[2] == "%":
            return "%"
        value = values[int(match[1]) - 1 if match[1] else next(following)]
        if value is None and match[2] == "s":
            raise ValueError("may be any text")
        value = HOLE if value is None else value
        return value if match[2] == "s" else quote_identifier(value) if match[2] == "I" else quote_literal(value)

    try:
        return _PLACE.sub(fill, template)
    except StopIteration:
        return None


_FUNCTIONS: dict[str, Callable[[list[Any]], Any]] = {
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
    "lpad": lambda given: given[0].rjust(int(given[1]), given[2])[: int(given[1])] if len(given[2]) == 1 else None,
    "btrim": lambda given: given[0].strip(*given[1:2] or (" ",)),
    "repeat": lambda given: given[0] * int(given[1]) if len(given[0]) * int(given[1]) <= MAX_TEXT else None,
}
