"""Which types a call gives, as far as its text tells, and whether a parameter takes them without a cast written out.

In: FuncCall nodes, names of types. Out: a type for each argument, empty where nobody knows.
"""

from __future__ import annotations

from migrations_registry.analysis.parsing.nodes import strings
from migrations_registry.analysis.parsing.parser import Node

Given = tuple[str, ...] | None  # None: nobody knows how many
# PostgreSQL casts to the right by itself, and within TEXTS (pg_cast, castcontext i).
_NUMBERS = ("int2", "int4", "int8", "numeric", "float4", "float8")
_TIMES = ("date", "timestamp", "timestamptz")
_TEXTS = ("text", "varchar", "bpchar")
_KNOWN = {*_NUMBERS, *_TIMES, *_TEXTS, "bool", "uuid", "json", "jsonb", "bytea", "interval", "time", "inet"}


def given_by(call: Node) -> Given:
    """Of an ordered-set aggregate or VARIADIC, nobody knows how many arguments count."""
    if call.get("agg_within_group") or call.get("func_variadic"):
        return None
    return tuple(_type(argument) for argument in call.get("args", ()))


def type_text(node: Node) -> str:
    """A TypeName as signatures are compared: int4, app.mood, text[]."""
    return ".".join(strings(node.get("names", []))).removeprefix("pg_catalog.") + "[]" * ("arrayBounds" in node)


def _type(argument: Node) -> str:
    """A written literal in quotes has no type yet."""
    if not argument:
        return ""
    kind, node = next(iter(argument.items()))
    if kind == "TypeCast":
        return type_text(node["typeName"])
    if kind != "A_Const":
        return ""
    if "fval" in node:
        return "numeric" if "." in node["fval"].get("fval", "") else ""
    return "int4" if "ival" in node else "bool" if "boolval" in node else ""


def passes(given: str, wanted: str) -> bool:
    """Whether PostgreSQL may pass the one as the other. Types that it does not ship may have casts of their own."""
    for order in (_NUMBERS, _TIMES):
        if given in order and wanted in order:
            return order.index(given) <= order.index(wanted)
    both_texts = given in _TEXTS and wanted in _TEXTS
    return given == wanted or both_texts or not {given, wanted} <= _KNOWN
