"""Functions that a statement names without calling them: it makes something run them from now on.

In: a statement's node. Out: names.
"""

from __future__ import annotations

from collections.abc import Iterator

from migrations_registry.analysis.parsing.nodes import strings
from migrations_registry.analysis.parsing.parser import Node

Parts = tuple[str, ...]
_FIELDS = {
    "CreateTrigStmt": ("funcname",),
    "CreateEventTrigStmt": ("funcname",),
    "CreateCastStmt": ("func",),
    "CreateConversionStmt": ("func_name",),
    "CreateTransformStmt": ("fromsql", "tosql"),
    "CreateAmStmt": ("handler_name",),
    "CreatePLangStmt": ("plhandler", "plinline", "plvalidator"),
}
_OPTIONS = {
    "DefineStmt": "definition",
    "CreateRangeStmt": "params",
    "AlterTypeStmt": "options",
    "AlterOperatorStmt": "options",
    "CreateFdwStmt": "func_options",
    "AlterFdwStmt": "func_options",
    "CreateFunctionStmt": "options",
    "AlterFunctionStmt": "actions",
}
# Options of CREATE AGGREGATE, OPERATOR, TYPE, TEXT SEARCH …, FUNCTION whose value is a function.
_NAMES = """sfunc finalfunc combinefunc serialfunc deserialfunc msfunc minvfunc mfinalfunc sfunc1 finalfunc1 function
procedure restrict join input output receive send typmod_in typmod_out analyze subscript canonical subtype_diff start
gettoken end headline lextypes init lexize handler validator support"""
_FUNCTIONS = frozenset(_NAMES.split())
_ITEMS = ("CreateOpClassStmt", "AlterOpFamilyStmt")
_FUNCTION_ITEM = 2  # OPCLASS_ITEM_FUNCTION


def attached(kind: str, node: Node) -> Iterator[Parts]:
    """Their names, as the statement writes them."""
    for field in _FIELDS.get(kind, ()):
        if field in node:
            yield _parts(node[field])
    for item in node.get(_OPTIONS.get(kind, ""), ()):
        option = item.get("DefElem", {})
        if option.get("defname", "").lower() in _FUNCTIONS and "arg" in option and (name := _named(option["arg"])):
            yield name
    for item in node.get("items", ()) if kind in _ITEMS else ():
        if item["CreateOpClassItem"]["itemtype"] == _FUNCTION_ITEM and "name" in item["CreateOpClassItem"]:
            yield _parts(item["CreateOpClassItem"]["name"])


def _parts(value: Node | list[Node]) -> Parts:
    return tuple(strings(value if isinstance(value, list) else value["objname"]))


def _named(argument: Node) -> Parts:
    kind, inner = next(iter(argument.items()))
    if kind == "String":
        return (inner["sval"],)
    return tuple(strings(inner.get("names") or inner.get("items") or [])) if isinstance(inner, dict) else ()
