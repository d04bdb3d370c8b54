"""Which relations a statement locks and how strongly (PostgreSQL 17, chapter 13.3)."""

from __future__ import annotations

from collections.abc import Iterator

from migrations_registry.analysis.model import AS, AX, EX, LOCKS, RS, RX, SH, SRE, STRENGTH, SUE, Name
from migrations_registry.analysis.parsing.nodes import DML, dotted, inner_nodes, is_on, options, relation, strings
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.postgresql.alter_locks import alter_lock

_RELATIONS = {
    "OBJECT_TABLE",
    "OBJECT_VIEW",
    "OBJECT_MATVIEW",
    "OBJECT_INDEX",
    "OBJECT_SEQUENCE",
    "OBJECT_FOREIGN_TABLE",
}
_ON_TABLE = {"OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE"}
_SIMPLE = {
    "CreateTrigStmt": ("relation", SRE),
    "RefreshMatViewStmt": ("relation", AX),
    "ClusterStmt": ("relation", AX),
    "CreatePolicyStmt": ("table", AX),
    "AlterPolicyStmt": ("table", AX),
    "RuleStmt": ("relation", AX),
    "AlterSeqStmt": ("sequence", SRE),
    "AlterObjectSchemaStmt": ("relation", AX),
}

Locked = Iterator[tuple[Name, str]]


def locks(kind: str, node: Node) -> Locked:
    """Yield (relation, lock) for what one statement takes on named relations; unknown kinds yield nothing."""
    if kind in _SIMPLE:
        field, lock = _SIMPLE[kind]
        if field in node:
            yield relation(node[field]), EX if node.get("concurrent") else lock
    elif reader := _READERS.get(kind):
        yield from reader(node)


def _alter(node: Node) -> Locked:
    if node["objtype"] == "OBJECT_TYPE":
        return  # a composite type, which holds no rows
    table = relation(node["relation"])
    for item in node["cmds"]:
        command = item["AlterTableCmd"]
        yield table, alter_lock(command)
        yield from _other_side(command)


def _other_side(command: Node) -> Locked:
    """The parent of a foreign key, the partition."""
    definition = command.get("def", {})
    if "PartitionCmd" in definition:
        yield relation(definition["PartitionCmd"]["name"]), SUE if definition["PartitionCmd"].get("concurrent") else AX
    constraints = definition.get("ColumnDef", {}).get("constraints", [])
    for constraint in [definition, *constraints]:
        if "pktable" in constraint.get("Constraint", {}):
            yield relation(constraint["Constraint"]["pktable"]), SRE


def _create(node: Node) -> Locked:
    for element in node.get("tableElts", []):
        for constraint in [element, *element.get("ColumnDef", {}).get("constraints", [])]:
            if "pktable" in constraint.get("Constraint", {}):
                yield relation(constraint["Constraint"]["pktable"]), SRE
    for parent in node.get("inhRelations", []):
        yield relation(parent["RangeVar"]), AX if "partbound" in node else SUE


def _drop(node: Node) -> Locked:
    kind = node["removeType"]
    lock = SUE if node.get("concurrent") else AX
    for item in node["objects"]:
        parts = strings(item["List"]["items"]) if "List" in item else []
        if kind in _RELATIONS and parts:
            yield dotted(parts), lock
        elif kind in _ON_TABLE and len(parts) > 1:
            yield dotted(parts[:-1]), AX


def _rename(node: Node) -> Locked:
    if "relation" in node and node["renameType"] != "OBJECT_ATTRIBUTE":
        yield relation(node["relation"]), SUE if node["renameType"] == "OBJECT_INDEX" else AX


def _index(node: Node) -> Locked:
    yield relation(node["relation"]), SUE if node.get("concurrent") else SH


def _reindex(node: Node) -> Locked:
    if "relation" in node:
        concurrent = is_on(options(node.get("params", [])).get("concurrently", False))
        yield relation(node["relation"]), SUE if concurrent else SH if node["kind"] == "REINDEX_OBJECT_TABLE" else AX


def _truncate(node: Node) -> Locked:
    for item in node["relations"]:
        yield relation(item["RangeVar"]), AX


def _lock(node: Node) -> Locked:
    for item in node["relations"]:
        yield relation(item["RangeVar"]), LOCKS[node.get("mode", 8) - 1]


def _vacuum(node: Node) -> Locked:
    lock = AX if is_on(options(node.get("options", [])).get("full", False)) else SUE
    for item in node.get("rels", []):
        yield relation(item["VacuumRelation"]["relation"]), lock


def _view(node: Node) -> Locked:
    if node.get("replace"):
        yield relation(node["view"]), AX


def _query(node: Node) -> Locked:
    target = relation(node["relation"]) if "relation" in node else None
    for kind, inner in inner_nodes(node):
        if kind == "RangeVar":
            yield relation(inner), RS if "lockingClause" in node else AS
        elif kind in DML and "relation" in inner:
            yield relation(inner["relation"]), RX
    if target:
        yield target, RX


def _comment(node: Node) -> Locked:
    parts = strings(node.get("object", {}).get("List", {}).get("items", []))
    if parts and (node["objtype"] in _RELATIONS or node["objtype"] == "OBJECT_COLUMN"):
        yield dotted(parts[:-1] if node["objtype"] == "OBJECT_COLUMN" else parts), SUE


def _statistics(node: Node) -> Locked:
    for item in node["relations"]:
        yield relation(item["RangeVar"]), SUE


def _publication(node: Node) -> Locked:
    for item in node.get("pubobjects", []):
        if "pubtable" in item["PublicationObjSpec"]:
            yield relation(item["PublicationObjSpec"]["pubtable"]["relation"]), SUE


def _planned(node: Node) -> Locked:
    """EXPLAIN and PREPARE lock as the statement itself."""
    for kind, inner in node["query"].items():
        yield from locks(kind, inner)


def _copy(node: Node) -> Locked:
    if "relation" in node:
        yield relation(node["relation"]), RX if node.get("is_from") else AS


def strongest(held: dict[Name, str]) -> str | None:
    """The strongest of several locks."""
    return max(held.values(), key=STRENGTH.__getitem__, default=None)


_READERS = {
    "AlterTableStmt": _alter,
    "CreateStmt": _create,
    "DropStmt": _drop,
    "RenameStmt": _rename,
    "IndexStmt": _index,
    "ReindexStmt": _reindex,
    "TruncateStmt": _truncate,
    "LockStmt": _lock,
    "VacuumStmt": _vacuum,
    "ViewStmt": _view,
    "CommentStmt": _comment,
    "CreateStatsStmt": _statistics,
    "CreatePublicationStmt": _publication,
    "AlterPublicationStmt": _publication,
    "ExplainStmt": _planned,
    "PrepareStmt": _planned,
    "CopyStmt": _copy,
    "SelectStmt": _query,
    "InsertStmt": _query,
    "UpdateStmt": _query,
    "DeleteStmt": _query,
    "MergeStmt": _query,
}
