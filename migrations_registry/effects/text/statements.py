"""What one statement may do: those that name several objects, or whose words decide what they do to them.

In: a node, the scope of names. Out: allowances. A kind that is known nowhere declares nothing: what it does is undone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from migrations_registry.analysis.parsing.nodes import is_on, options, strings
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.effects.model import (
    ALTERED,
    CREATED,
    DROPPED,
    MOVED,
    REWRITTEN,
    SET_BACK,
    TRUNCATED,
    Allowance,
    Name,
)
from migrations_registry.effects.text.alter_table import alter_table
from migrations_registry.effects.text.names import KINDS, RELATIONS, ROUTINES, Scope, parts_of

Rule = Callable[[Node, Scope], Iterator[Allowance]]
ONLY = frozenset({ALTERED})
GONE = frozenset({DROPPED})
RESTARTED = frozenset({REWRITTEN, MOVED, SET_BACK})
ROUTINE = ("definition", "settings", "rights")


def _each(names: Iterable[Name], verbs: Iterable[str], kinds: Iterable[str], *aspects: str) -> Iterator[Allowance]:
    for name in names:
        yield Allowance(frozenset(verbs), name, frozenset(kinds), frozenset(aspects), parts=True)


def _create_table(node: Node, scope: Scope) -> Iterator[Allowance]:
    yield from _each(scope.relation(node["relation"]), {CREATED}, {"table", "foreign table"})
    for parent in node.get("inhRelations", []):
        yield from _each(scope.relation(parent["RangeVar"]), ONLY, {"table"}, "definition")
        yield from _each(scope.relation(node["relation"]), {CREATED}, {"trigger"})


def _create_as(node: Node, scope: Scope) -> Iterator[Allowance]:
    yield from _each(scope.relation(node["into"]["rel"]), {CREATED}, {"table", "materialized view"})


def _select_into(node: Node, scope: Scope) -> Iterator[Allowance]:
    if "intoClause" in node:
        yield from _each(scope.relation(node["intoClause"]["rel"]), {CREATED}, {"table"})


def _create_function(node: Node, scope: Scope) -> Iterator[Allowance]:
    verbs = {CREATED, ALTERED} if node.get("replace") else {CREATED}
    yield from _each(scope.names(strings(node["funcname"])), verbs, ROUTINES, *ROUTINE)


def _alter_function(node: Node, scope: Scope) -> Iterator[Allowance]:
    yield from _each(scope.names(strings(node["func"]["objname"])), ONLY, ROUTINES, *ROUTINE)


def _define(node: Node, scope: Scope) -> Iterator[Allowance]:
    """CREATE AGGREGATE, OPERATOR, TYPE, COLLATION …; an operator also makes and changes its counterparts."""
    names: list[Name] = [()] if node["kind"] == "OBJECT_OPERATOR" else scope.names(strings(node["defnames"]))
    yield from _each(names, {CREATED, ALTERED}, KINDS.get(node["kind"], ()), "definition")


def _extension_schema(node: Node, scope: Scope) -> Iterator[Allowance]:
    for item in node.get("options", []):
        if item["DefElem"]["defname"] == "schema":
            yield from _each([(item["DefElem"]["arg"]["String"]["sval"],)], {CREATED}, {"schema"})


def _drop(node: Node, scope: Scope) -> Iterator[Allowance]:
    kind, cascades = node["removeType"], node.get("behavior") == "DROP_CASCADE"
    for item in node["objects"]:
        for name in scope.object(kind, item):
            yield Allowance(GONE, name, KINDS.get(kind, frozenset()), cascades=cascades)
            if kind in ("OBJECT_SCHEMA", "OBJECT_EXTENSION") and cascades:
                yield Allowance(GONE, name, parts=True, cascades=True)


def _rename(node: Node, scope: Scope) -> Iterator[Allowance]:
    """The object, and what the server calls after it: a constraint's index, an heir's column, an array type."""
    kind = node["renameType"]
    if "relation" in node and "subname" in node:
        yield from _each(scope.relation(node["relation"]), ONLY, KINDS[kind] - {"trigger"} | {"index"}, "name")
        yield from _each(scope.relation(node["relation"], node["subname"]), ONLY, KINDS[kind], "name")
    elif "relation" in node:
        names = _also_new(scope.relation(node["relation"]), node)
        yield from _each(names, ONLY, RELATIONS | {"table constraint"}, "name")
    elif "object" in node:
        names = _also_new(scope.object(kind, node["object"]), node)
        yield from _each(names, ONLY, KINDS.get(kind, ()), "name")
    elif "subname" in node:
        yield from _each([(node["subname"],)], ONLY, KINDS.get(kind, ()), "name")


def _also_new(names: list[Name], node: Node) -> list[Name]:
    """What belongs to it is told under its new name already."""
    return [*names, *((*name[:-1], node["newname"]) for name in names if name)]


def _set_schema(node: Node, scope: Scope) -> Iterator[Allowance]:
    for name in _object(node, scope):
        yield from _each([name, (node["newschema"], *name[1:])], ONLY, (), "schema")


def _owner(node: Node, scope: Scope) -> Iterator[Allowance]:
    yield from _each(_object(node, scope), ONLY, (), "owner", "grants")


def _object(node: Node, scope: Scope) -> list[Name]:
    if "relation" in node:
        return scope.relation(node["relation"])
    return scope.object(node["objectType"], node["object"])


def _grant(node: Node, scope: Scope) -> Iterator[Allowance]:
    everything = node["targtype"] == "ACL_TARGET_ALL_IN_SCHEMA"
    for item in node.get("objects", []):
        if "RangeVar" in item:
            names = scope.relation(item["RangeVar"])
        else:
            names = [tuple(parts_of(item)[-1:])] if everything else scope.object(node["objtype"], item)
        if names == [()]:  # a parameter's rights are a row of their own
            yield from _each(names, {CREATED, ALTERED, DROPPED}, {"parameter ACL", "large object"})
        else:
            yield from _each(names, ONLY, (), "grants")


def _truncate(node: Node, scope: Scope) -> Iterator[Allowance]:
    cascades = node.get("behavior") == "DROP_CASCADE"
    for item in node["relations"]:
        for name in scope.relation(item["RangeVar"]):
            files, tables = frozenset({REWRITTEN, TRUNCATED}), frozenset({"table"})
            yield Allowance(files, name, tables, parts=True, cascades=cascades)
            if node.get("restart_seqs"):
                yield Allowance(RESTARTED, name, frozenset({"sequence"}), parts=True, cascades=cascades)


def _sequence(node: Node, scope: Scope) -> Iterator[Allowance]:
    restarts = any(item["DefElem"]["defname"] == "restart" for item in node.get("options", []))
    verbs = RESTARTED if restarts else RESTARTED - {SET_BACK}
    yield from _each(scope.relation(node["sequence"]), verbs, {"sequence"})
    yield from _each(scope.relation(node["sequence"]), ONLY, {"sequence"}, "definition", "options", "type", "ownership")


def _vacuum(node: Node, scope: Scope) -> Iterator[Allowance]:
    """VACUUM FULL writes tables anew, all of them where it names none."""
    if node.get("is_vacuumcmd") and is_on(options(node.get("options", [])).get("full", False)):
        tables = [item["VacuumRelation"]["relation"] for item in node.get("rels", [])]
        names = [name for table in tables for name in scope.relation(table)]
        yield from _each(names or [()], {REWRITTEN}, {"table", "materialized view"})


def _cluster_all(node: Node, scope: Scope) -> Iterator[Allowance]:
    if "relation" not in node:
        yield from _each([()], {REWRITTEN}, {"table", "materialized view"})


STATEMENTS: dict[str, Rule] = {
    "AlterFunctionStmt": _alter_function,
    "AlterObjectSchemaStmt": _set_schema,
    "AlterOwnerStmt": _owner,
    "AlterSeqStmt": _sequence,
    "AlterTableStmt": alter_table,
    "ClusterStmt": _cluster_all,
    "CreateExtensionStmt": _extension_schema,
    "CreateFunctionStmt": _create_function,
    "CreateStmt": _create_table,
    "CreateTableAsStmt": _create_as,
    "DefineStmt": _define,
    "DropStmt": _drop,
    "GrantStmt": _grant,
    "RenameStmt": _rename,
    "SelectStmt": _select_into,
    "TruncateStmt": _truncate,
    "VacuumStmt": _vacuum,
}
