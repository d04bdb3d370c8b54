"""Which PostgreSQL a statement's syntax needs (release notes and grammars of 12 to 18). Pure.

In: a statement's node. Out: major versions, each with the words that need it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from migrations_registry.analysis.parsing.nodes import DML, marked, options, strings, value
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.parsing.versioned_syntax import OPTIONS, PRESENT, SETTINGS, VALUES, Needed
from migrations_registry.analysis.postgresql.builtin_functions import since


def needed(kind: str, node: Node, *, is_body: bool = False) -> Iterator[Needed]:
    """What not every version reads, in no particular order; `is_body`: `new` and `old` may be a trigger's rows."""
    if kind in DML and not is_body and "returningClause" in node and _returns_old_or_new(node):
        yield 18, "old or new in RETURNING"
    for key, child in [(kind, node), *marked(node)]:
        if key in PRESENT:
            yield PRESENT[key]
        if key in _READERS:
            yield from _READERS[key](child)
        elif key in OPTIONS:
            yield from _bracketed(key, child)
        elif type(child) is str and (key, child) in VALUES:
            yield VALUES[key, child]


def _bracketed(kind: str, node: Node) -> Iterator[Needed]:
    for field in ("options", "params", "opt"):
        for name in options(node.get(field, [])):
            if name in OPTIONS[kind]:
                yield OPTIONS[kind][name], name.upper()


def _returns_old_or_new(node: Node) -> bool:
    """`old.x` and `new.x`, unless a relation of the statement goes by that name."""
    named, wanted, stack = set(), set(), [node]
    while stack:
        current: Any = stack.pop()
        if isinstance(current, list):
            stack += current
        elif isinstance(current, dict):
            named |= {current.get(field) for field in ("aliasname", "relname", "ctename")}
            fields = current["ColumnRef"]["fields"] if "ColumnRef" in current else []
            wanted |= {fields[0].get("String", {}).get("sval")} if len(fields) > 1 else set()
            stack += current.values()
    return bool((wanted & {"old", "new"}) - named)


def _constraint(node: Node) -> Iterator[Needed]:
    contype = node["contype"]
    if contype in ("CONSTR_CHECK", "CONSTR_FOREIGN") and not node.get("is_enforced"):
        yield 18, "NOT ENFORCED"
    elif contype == "CONSTR_NOTNULL" and "keys" in node:
        yield 18, "NOT NULL as a constraint of the table"


def _command(node: Node) -> Iterator[Needed]:
    """ALTER TABLE: what is only told by what stands beside the verb."""
    subtype, definition = node["subtype"], node.get("def", {})
    if (subtype == "AT_SetAccessMethod" and "name" not in node) or (subtype == "AT_SetStatistics" and not definition):
        yield 17, "DEFAULT instead of a value"
    elif definition.get("PartitionCmd", {}).get("concurrent"):
        yield 14, "DETACH PARTITION … CONCURRENTLY"
    elif subtype == "AT_SetStorage" and value(definition) == "default":
        yield 16, "SET STORAGE DEFAULT"
    elif subtype == "AT_SetRelOptions" and "security_invoker" in options(definition["List"]["items"]):
        yield 15, "SECURITY_INVOKER"


def _call(node: Node) -> Iterator[Needed]:
    parts = strings(node["funcname"])
    if (version := since(parts)) > 0:
        yield version, f"{parts[-1]}()"


def _setting(node: Node) -> Iterator[Needed]:
    if node.get("name", "").lower() in SETTINGS:
        yield SETTINGS[node["name"].lower()], node["name"].lower()


_ONLY_IF: dict[str, tuple[Callable[[Node], bool], Needed]] = {
    "RangeSubselect": (lambda node: "alias" not in node, (16, "a subquery in FROM without a name")),
    "VacuumRelation": (lambda node: not node.get("relation", {"inh": True}).get("inh"), (18, "VACUUM ONLY")),
    "CreateTrigStmt": (lambda node: bool(node.get("replace")), (14, "OR REPLACE of a trigger")),
    "CreateStatsStmt": (lambda node: "defnames" not in node, (16, "statistics without a name")),
    "pubtable": (lambda node: bool({"columns", "whereClause"} & node.keys()), (15, "a publication of part of a table")),
}


def _when(key: str) -> Callable[[Node], Iterator[Needed]]:
    applies, found = _ONLY_IF[key]
    return lambda node: iter([found] if applies(node) else [])


_READERS: dict[str, Callable[[Node], Iterator[Needed]]] = {
    "Constraint": _constraint,
    "AlterTableCmd": _command,
    "VariableSetStmt": _setting,
    "FuncCall": _call,
    **{key: _when(key) for key in _ONLY_IF},
}
