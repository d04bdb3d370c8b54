"""Variables of a PL/pgSQL body: their types, and those that have one constant value in all of it.

In: the body's syntax tree. Out: names of types; name → value.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from migrations_registry.analysis.parsing.constant_folding import fold, fold_list
from migrations_registry.analysis.parsing.parser import Node

TARGET = re.compile(r"^[^=]*=")
ROUNDS = 500
_SIDES = ("lower", "upper", "step")
_WHOLE = {"int2", "int4", "int8", "smallint", "int", "integer", "bigint"}
_PARTS = re.compile(r"\b(DECLARE|BEGIN)\b", re.IGNORECASE)
_COMMENT = re.compile(r"--[^\n]*")
_VARIABLE = re.compile(
    r'\s*("[^"]+"|\w+)\s+(?:CONSTANT\s+)?([\w.%"]+(?:\s*\([\d, ]*\))?(?:\s*\[\d*\])*)(?:\s+NOT\s+NULL)?'
    r"\s*(?:(?::=|=|DEFAULT\b)(.*))?$",
    re.IGNORECASE | re.DOTALL,
)


def untold(tree: Node, text: str) -> Iterator[str]:
    """Queries that run what variables do whose types the grammar cannot know: their defaults, and a domain's checks.

    The tree holds them as records, without either; so the text between DECLARE and BEGIN is asked. One that is not
    found there is an empty text.
    """
    records = [datum["PLpgSQL_rec"] for datum in tree.get("datums", []) if "lineno" in datum.get("PLpgSQL_rec", {})]
    wanted = {record["refname"].lower() for record in records}
    for match in filter(None, map(_VARIABLE.match, _declarations(text) if wanted else [])):
        name, kind, default = match.groups()
        if name.strip('"').lower() in wanted:
            wanted.discard(name.strip('"').lower())
            known = kind.lower() == "record" or "%" in kind
            yield f"SELECT ({(default or 'NULL').strip()})" + ("" if known else f"::{kind}")
    yield from ("" for _ in wanted)


def _declarations(text: str) -> Iterator[str]:
    """Every declaration of every block."""
    places = [(found[1].upper(), found.start(), found.end()) for found in _PARTS.finditer(text)]
    for (word, _, start), (_, end, _) in pairwise(places):
        if word == "DECLARE":
            yield from _COMMENT.sub("", text[start:end]).split(";")


def constants(tree: Node) -> dict[str, str]:
    """Variables that get exactly one value in the whole body, and that value is constant."""
    names: list[str | None] = [
        next(iter(datum.values())).get("refname") if datum else None for datum in tree.get("datums", [])
    ]
    values: dict[str, list[str | None]] = {}
    for datum in tree.get("datums", []):
        variable = datum.get("PLpgSQL_var", {})
        if "default_val" in variable:
            values.setdefault(variable["refname"], []).append(
                fold(variable["default_val"]["PLpgSQL_expr"]["query"], {})
            )
    for name, expression in _assignments(tree.get("action", {}), names):
        known = {other: given[0] for other, given in values.items() if len(given) == 1 and given[0] is not None}
        values.setdefault(name, []).append(fold(TARGET.sub("", expression, count=1), known) if expression else None)
    shadowed = Counter(name for name in names if name)
    return {
        name: given[0]
        for name, given in values.items()
        if len(given) == 1 and given[0] is not None and shadowed[name] < 2
    }


def listed(tree: Node) -> dict[str, list[str]]:
    """Variables that get their values from one FOREACH or FOR alone, which goes through constants or their range."""
    names = [next(iter(datum.values())).get("refname") if datum else None for datum in tree.get("datums", [])]
    given = Counter(name for name, _ in _assignments(tree.get("action", {}), names))
    defaults = {
        datum["PLpgSQL_var"]["refname"]: datum["PLpgSQL_var"]["default_val"]["PLpgSQL_expr"]["query"]
        for datum in tree.get("datums", [])
        if "default_val" in datum.get("PLpgSQL_var", {})
    }
    found, stack = {}, [tree.get("action", {})]
    while stack:
        current = stack.pop()
        if isinstance(current, list):
            stack += current
        elif isinstance(current, dict):
            loop = current.get("PLpgSQL_stmt_foreach_a", {})
            name = (names[loop["varno"]] or "") if loop.get("varno", len(names)) < len(names) else ""
            if name and given[name] == 1 and names.count(name) == 1 and name not in defaults:
                text = loop["expr"]["PLpgSQL_expr"]["query"].strip()
                text = text if given[text] or names.count(text) != 1 else defaults.get(text, text)
                found[name] = fold_list(text) or []
            counted = current.get("PLpgSQL_stmt_fori", {})
            name = counted.get("var", {}).get("PLpgSQL_var", {}).get("refname", "")
            if name and given[name] == 1 and names.count(name) == 1:
                found[name] = _range(counted)
            stack += current.values()
    return {name: texts for name, texts in found.items() if texts}


def _range(loop: Node) -> list[str]:
    """What FOR counts through, where that is known and no more than ROUNDS."""
    sides = [loop.get(side, {"PLpgSQL_expr": {"query": "1"}})["PLpgSQL_expr"]["query"] for side in _SIDES]
    first, last, step = [int(text) if (text := (fold(side, {}) or "")).isdecimal() else -1 for side in sides]
    if min(first, last) < 0 or step < 1 or abs(last - first) > step * ROUNDS:
        return []
    return [
        str(each) for each in (range(first, last - 1, -step) if loop.get("reverse") else range(first, last + 1, step))
    ]


def whole_numbers(tree: Node) -> list[str]:
    """Names that mean nothing but variables of whole numbers, wherever they stand in the body."""
    kinds: dict[str, set[str]] = {}
    for datum in tree.get("datums", []):
        for variable in datum.values():
            kind = variable.get("datatype", {}).get("PLpgSQL_type", {}).get("typname", "")
            kinds.setdefault(variable.get("refname", ""), set()).add(kind)
    return [name for name, types in kinds.items() if name and types <= _WHOLE]


def _assignments(tree: Node, names: list[str | None]) -> Iterator[tuple[str, str]]:
    """(variable, expression text) of each assignment; an empty text for INTO, FOR and FETCH targets."""
    stack: list[object] = [tree]
    while stack:
        current = stack.pop()
        if isinstance(current, list):
            stack += reversed(current)
        elif isinstance(current, dict):
            if "varno" in current and "expr" in current and current["varno"] < len(names):
                yield names[current["varno"]] or "", current["expr"]["PLpgSQL_expr"]["query"]
            for field in current.get("fields", ()):
                yield field["name"], ""
            for key in ("var", "target"):
                held = next(iter(current[key].values())) if isinstance(current.get(key), dict) else {}
                if "refname" in held:
                    yield held["refname"], ""
            stack += reversed(list(current.values()))
