"""One text for all spellings of the same definition: parsed, without places, casts of arrays pushed to the elements.

PostgreSQL prints `(ARRAY['a'::varchar])::text[]` for what, read back from a dump, it prints as
`ARRAY[('a'::varchar)::text]`: the same constraint. Anything the grammar refuses is compared as it stands.
"""

from __future__ import annotations

import json
from typing import Any

from migrations_registry.analysis.parsing.parser import Node, Raw, parse

_PLACES = frozenset(
    [
        "location",
        "stmt_location",
        "stmt_len",
        "name_location",
        "list_start",
        "list_end",
        "rexpr_list_start",
        "rexpr_list_end",
    ]
)


def canonical(sql: str) -> str:
    """The comparable form of one object's SQL; notes behind the statement (`; -- …`) count as they are."""
    data = sql.encode("utf-8", "surrogatepass")
    statements = parse(data)
    if not statements or not all(isinstance(statement, Raw) for statement in statements):
        return sql
    trees = [[parsed.kind, _settled(parsed.node)] for parsed in statements if isinstance(parsed, Raw)]
    notes = data[statements[-1].end :].decode("utf-8", "surrogatepass")
    return json.dumps(trees, sort_keys=True, separators=(",", ":")) + notes


def _settled(value: Any) -> Any:
    if isinstance(value, list):
        return [_settled(item) for item in value]
    if not isinstance(value, dict):
        return value
    pushed = _pushed_cast(value)
    settled = {key: _settled(child) for key, child in pushed.items() if key not in _PLACES}
    return _flat(settled)


def _pushed_cast(node: Node) -> Node:
    """TypeCast(ARRAY[…] as t[]) becomes ARRAY[each as t]."""
    cast = node.get("TypeCast")
    if not isinstance(cast, dict) or "A_ArrayExpr" not in cast.get("arg", {}) or "arrayBounds" not in cast["typeName"]:
        return node
    element = {key: child for key, child in cast["typeName"].items() if key != "arrayBounds"}
    items = [
        {"TypeCast": {"arg": item, "typeName": element}} for item in cast["arg"]["A_ArrayExpr"].get("elements", [])
    ]
    return {"A_ArrayExpr": {"elements": items}} if items else node


def _flat(node: Node) -> Node:
    """AND inside AND and OR inside OR are one list."""
    inner = node.get("BoolExpr")
    if not isinstance(inner, dict) or inner.get("boolop") not in ("AND_EXPR", "OR_EXPR"):
        return node
    items: list[Any] = []
    for item in inner.get("args", []):
        same = isinstance(item, dict) and item.get("BoolExpr", {}).get("boolop") == inner["boolop"]
        items += item["BoolExpr"]["args"] if same else [item]
    return {"BoolExpr": {**inner, "args": items}}
