"""What happens to which relation when a statement runs: read, inserted, updated, deleted, truncated, rebuilt.

In: a statement's node. Out: pairs of a relation and events.
"""

from __future__ import annotations

from collections.abc import Iterator

from migrations_registry.analysis.model import Name
from migrations_registry.analysis.parsing.nodes import dotted, inner_nodes, relation, strings
from migrations_registry.analysis.parsing.parser import Node

CAST = "cast"  # to a domain, which stands for a relation here
READ, INSERT, UPDATE, DELETE, TRUNCATE, REBUILD = "read", "insert", "update", "delete", "truncate", "rebuild"
WRITES = frozenset({INSERT, UPDATE, REBUILD})  # what computes defaults, checks and index expressions
CHANGES = frozenset({INSERT, UPDATE, DELETE, TRUNCATE})
_TRIGGER_BITS = {4: INSERT, 8: DELETE, 16: UPDATE, 32: TRUNCATE}  # catalog/pg_trigger.h
_QUERIES = {"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"}
_DML = {"InsertStmt": {INSERT, UPDATE}, "UpdateStmt": {UPDATE}, "DeleteStmt": {DELETE}, "MergeStmt": CHANGES}
CHANGING = frozenset((*_DML, "CopyStmt", "TruncateStmt"))  # the kinds to which CHANGES happen
_REBUILDS = {"AlterTableStmt", "IndexStmt", "ClusterStmt", "ReindexStmt", "RefreshMatViewStmt"}


def trigger_events(bits: int) -> frozenset[str]:
    """The events of CREATE TRIGGER."""
    return frozenset(event for bit, event in _TRIGGER_BITS.items() if bits & bit)


def happening(kind: str, node: Node) -> Iterator[tuple[Name, frozenset[str]]]:
    """Each relation that the statement touches, and how."""
    if kind in _DML:
        for target in (node["relation"], *node.get("through", ())):
            yield relation(target), frozenset(_DML[kind])
    elif kind == "CopyStmt" and node.get("is_from") and "relation" in node:
        yield relation(node["relation"]), frozenset({INSERT})
    elif kind == "CopyStmt" and "relation" in node:
        yield relation(node["relation"]), frozenset({READ})
    elif kind in _REBUILDS and "relation" in node:
        yield relation(node["relation"]), frozenset({REBUILD, READ})
    elif kind == "TruncateStmt":
        for item in node["relations"]:
            yield relation(item["RangeVar"]), frozenset({TRUNCATE})
    elif kind == "VacuumStmt":
        for item in node.get("rels", []):
            yield relation(item["VacuumRelation"]["relation"]), frozenset({REBUILD})
    for item in node["cmds"] if kind == "AlterTableStmt" else ():
        column = item["AlterTableCmd"].get("def", {}).get("ColumnDef", {})
        if "typeName" in column:
            yield dotted(strings(column["typeName"]["names"])), frozenset({CAST})
    for inner, found in inner_nodes(node) if kind in _QUERIES else ():
        if inner == "RangeVar":
            yield relation(found), frozenset({READ})
        elif inner == "TypeCast":
            yield dotted(strings(found["typeName"]["names"])), frozenset({CAST})
