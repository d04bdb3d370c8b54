"""Small readers of syntax-tree dictionaries: names, types, options, and one walk over everything below a node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from migrations_registry.analysis.model import Name
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.parsing.versioned_syntax import MARKED

DML = frozenset(("SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"))
_INNER = DML | {"FuncCall", "RangeVar", "A_Expr", "SubLink", "SortBy", "ColumnRef", "TypeCast", "RangeTableSample"}
_INNER |= {"SQLValueFunction"}


def relation(node: Node) -> Name:
    """A RangeVar's (schema, name); an unqualified name is taken to be in public."""
    if node.get("relpersistence") == "t":
        return "pg_temp", node["relname"]
    return node.get("schemaname", "public"), node["relname"]


def in_words(kind: str) -> str:
    """`operator class` of OBJECT_OPCLASS."""
    text = kind.removeprefix("OBJECT_").replace("_", " ").lower()
    for short, whole in (("op", "operator "), ("ts", "text search ")):
        text = f"{whole}{text[2:]}" if text.startswith(short) and text != "operator" else text
    return text.replace(" ext", "s").replace("fdw", "foreign data wrapper")


def strings(items: list[Node]) -> list[str]:
    """The texts of a list of String nodes."""
    return [item["String"]["sval"] for item in items if "String" in item]


def dotted(parts: list[str]) -> Name:
    """(schema, name) of a possibly qualified name."""
    return (parts[-2] if len(parts) > 1 else "public", parts[-1])


def object_name(item: Node) -> Name:
    """The name of a function, a type or anything else that is named alone, however the grammar wraps it."""
    inner = next(iter(item.values()))
    if "sval" in inner:
        return "public", inner["sval"]
    if number := inner.get("ival") or inner.get("fval"):
        return "public", f"large object {number}"
    return dotted(strings(inner.get("objname") or inner.get("names") or inner.get("items") or []) or ["?"])


def function_name(call: Node) -> str:
    """A FuncCall's name; pg_catalog and public are left out."""
    parts = strings(call["funcname"])
    return ".".join(part for part in parts if part not in ("pg_catalog", "public", "extensions"))


def type_name(node: Node) -> str:
    """A TypeName's bare name: int4, varchar, app.mood."""
    return ".".join([part for part in strings(node.get("names", [])) if part not in ("pg_catalog", "public")])


def modifiers(node: Node) -> list[int]:
    """A TypeName's integer modifiers: [10, 2] of numeric(10,2)."""
    constants = [item.get("A_Const", {}).get("ival", {}).get("ival", 0) for item in node.get("typmods", [])]
    return [int(value) for value in constants]


def full_type(node: Node) -> str:
    """A TypeName with its brackets: int4, text[]."""
    return type_name(node) + "[]" * len(node.get("arrayBounds", []))


def options(items: list[Node]) -> dict[str, Any]:
    """DefElem name → its plain value (True when it has none)."""
    return {item["DefElem"]["defname"]: value(item["DefElem"].get("arg")) for item in items if "DefElem" in item}


def value(node: Node | None) -> Any:
    """A constant node as a Python value; other nodes as they are; a missing one as True."""
    if not node:
        return True
    kind, inner = next(iter(node.items()))
    if kind == "A_Const":
        return constant(inner)
    if kind == "TypeName":
        return type_name(inner)
    if not isinstance(inner, dict):
        return node
    plain = {
        "String": inner.get("sval"),
        "Integer": inner.get("ival", 0),
        "Float": inner.get("fval"),
        "Boolean": inner.get("boolval", False),
    }
    return plain.get(kind, node)


def constant(node: Node) -> Any:
    """The value of an A_Const."""
    if "ival" in node:
        return node["ival"].get("ival", 0)
    if "boolval" in node:
        return node["boolval"].get("boolval", False)
    if "sval" in node:
        return node["sval"].get("sval", "")
    return node["fval"].get("fval") if "fval" in node else None


def is_null(expression: Node) -> bool:
    """The constant NULL, also as a type's."""
    while "TypeCast" in expression:
        expression = expression["TypeCast"]["arg"]
    return bool(expression.get("A_Const", {}).get("isnull"))


def is_on(setting: Any) -> bool:
    """How PostgreSQL reads an option's value (defGetBoolean)."""
    return setting is True or str(setting).lower() in ("true", "on", "1")


_WANTED = frozenset((*_INNER, *MARKED))
Inner = list[tuple[str, Any]]
_newest: tuple[Node, Inner, Inner] = ({}, [], [])


def inner_nodes(node: Node) -> list[tuple[str, Node]]:
    """Every statement, call, operator, cast, column and relation below `node`, in no particular order."""
    return _walked(node)[1]


def marked(node: Node) -> Inner:
    """Every key below `node` that stands in versioned_syntax.MARKED, and what it holds."""
    return _walked(node)[2]


def _walked(node: Node) -> tuple[Node, Inner, Inner]:
    """Several rules ask about the same statement one after the other, so the newest answer is kept."""
    global _newest
    known = _newest  # another thread may put its own there meanwhile
    if known[0] is node:
        return known
    inner: Inner = []
    marks: Inner = []
    stack: list[Any] = [node]
    while stack:
        for key, child in stack.pop().items():
            kind = type(child)
            if kind is int:
                continue  # most are places in the text
            if key in _WANTED:
                if key in _INNER:
                    inner.append((key, child))
                if key in MARKED:
                    marks.append((key, child))
            if kind is dict:
                stack.append(child)
            elif kind is list and child and type(child[0]) is dict:
                stack += child
    _newest = known = node, inner, marks
    return known


def keys_in(node: Node) -> Iterator[str]:
    """Every key below a node."""
    stack: list[Any] = [node]
    while stack:
        current = stack.pop()
        if type(current) is dict:
            yield from current
            stack += current.values()
        elif type(current) is list:
            stack += current


def tested_not_null(expression: Node) -> str | None:
    """The column of exactly `column IS NOT NULL`, else None."""
    test = expression.get("NullTest")
    if not test or test["nulltesttype"] != "IS_NOT_NULL" or "ColumnRef" not in test["arg"]:
        return None
    names = strings(test["arg"]["ColumnRef"]["fields"])
    return names[-1] if names else None
