"""Whether two definitions that PostgreSQL printed mean the same, though it prints one otherwise once it was read back.

In: two texts of the catalogue. Out: yes where the grammar makes one tree of both (`(a AND b) AND c` is read back flat,
a cast of an array as casts of its elements). What cannot be parsed, or is too long, is not the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

NOTE = "; -- "  # what the fingerprint adds behind a definition
MOST_BYTES = 32 * 1024  # deeper text than this could overflow the parser's stack
CHANGES = {"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"}
_PLACES = {"location", "stmt_location", "stmt_len", "list_start", "list_end", "rexpr_list_start", "rexpr_list_end"}


def same_meaning(one: str, other: str) -> bool:
    """Exact where the texts are equal; names, constants, operators and their order always count."""
    if one == other:
        return True
    if max(len(one.encode()), len(other.encode())) > MOST_BYTES:
        return False
    first = _read(one)
    return first is not None and first == _read(other)


def _read(text: str) -> tuple[Any, str] | None:
    """The tree of the definition, and the notes behind it as they stand."""
    from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]
    from postgast import PgQueryError, parse

    at = text.find(NOTE)
    while True:
        definition, notes = (text, "") if at < 0 else (text[:at], text[at:])
        try:
            statements = MessageToDict(parse(definition)).get("stmts", [])
            return None if "--" in definition or not statements else (_plain(_unnamed(statements)), notes)
        except (PgQueryError, RecursionError):
            if at < 0:
                return None
        at = text.find(NOTE, at + 1)


def _unnamed(statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A body of standard SQL answers by position: what its statements call their columns says nothing."""
    for target in _answers(statements[0].get("stmt", {}).get("CreateFunctionStmt", {}).get("sql_body", {})):
        target["ResTarget"].pop("name", None)
    return statements


def _answers(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What its statements answer with, sides of a set included."""
    for item in body.get("List", {}).get("items", []):
        yield from _answers(item)
    selects = [body["SelectStmt"]] if "SelectStmt" in body else []
    while selects:
        select = selects.pop()
        yield from select.get("targetList", [])
        selects += [select[side] for side in ("larg", "rarg") if side in select]
    for kind in CHANGES & body.keys():
        yield from body[kind].get("returningClause", {}).get("exprs", [])


def _plain(node: Any) -> Any:
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _plain(value) for key, value in node.items() if key not in _PLACES}
    return _pushed(plain) if "TypeCast" in plain else plain


def _pushed(cast: dict[str, Any]) -> dict[str, Any]:
    """A cast of an array as its elements' casts."""
    inner, kind = cast["TypeCast"].get("arg", {}), cast["TypeCast"].get("typeName", {})
    if len(kind.get("arrayBounds", ())) != 1 or inner.keys() != {"A_ArrayExpr"}:
        return cast
    element = {key: value for key, value in kind.items() if key != "arrayBounds"}
    items = [{"TypeCast": {"arg": item, "typeName": element}} for item in inner["A_ArrayExpr"].get("elements", [])]
    return {"A_ArrayExpr": {**inner["A_ArrayExpr"], "elements": items}} if items else cast
