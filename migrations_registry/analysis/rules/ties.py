"""What the file makes and then ties to what was there before: through the new one the older rows can be lost.

In: statements. Out: `state.created` without relations that hold older rows now; `state.referred`: what keys of older
tables point to → whether a DELETE reaches those; `state.tied`: types, orders and parents of older columns and tables,
which CASCADE reaches through whatever stands between, and owners of older sequences → the older one; `state.shown`:
view or foreign table → what it shows, where changing its rows changes those.
"""

from __future__ import annotations

from migrations_registry.analysis.model import AX, COMPATIBILITY, Name, label
from migrations_registry.analysis.parsing.nodes import dotted, options, relation, strings
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.postgresql.type_changes import is_builtin_type
from migrations_registry.analysis.rule_registry import on, on_alter, rule
from migrations_registry.analysis.state import State

INHERIT = rule(
    "MC-INHERIT",
    COMPATIBILITY,
    "rows of {child} are {found} through {name}",
    "Deploy code that copes with it first: SELECT, UPDATE and DELETE of {name} work on its heirs too, but for ONLY.",
    lock=AX,
    bad=("CREATE TABLE x (at int); ALTER TABLE events_new INHERIT x; ALTER TABLE events_new NO INHERIT x",),
    good=("CREATE TABLE x () INHERITS (events_new); ALTER TABLE x NO INHERIT events_new",),
)
_NOT_WRITTEN = ("withClause", "groupClause", "havingClause", "distinctClause", "limitCount", "limitOffset", "larg")


@on_alter("AttachPartition")
def attach(command: Node, alter: Node, state: State) -> None:
    """ATTACH PARTITION of an older table."""
    _holds(relation(alter["relation"]), relation(command["def"]["PartitionCmd"]["name"]), state)


@on_alter("AddInherit")
def inherit(command: Node, alter: Node, state: State) -> None:
    """INHERIT; an older table may be the heir of a new one."""
    _finds(command, alter, "from now on found, changed and deleted", state)
    _holds(relation(command["def"]["RangeVar"]), relation(alter["relation"]), state)


def _holds(parent: Name, child: Name, state: State) -> None:
    if not state.is_new(child):
        state.created.pop(parent, None)
        state.tied[parent] = child


@on_alter("DropInherit")
def no_inherit(command: Node, alter: Node, state: State) -> None:
    """NO INHERIT."""
    _finds(command, alter, "no longer found, changed and deleted", state)


def _finds(command: Node, alter: Node, found: str, state: State) -> None:
    child, parent = relation(alter["relation"]), relation(command["def"]["RangeVar"])
    if not (state.is_new(child) or state.is_new(parent)):
        state.see(INHERIT, child=label(child), found=found, name=label(parent))


@on_alter("AddConstraint", "AddColumn")
def refers(command: Node, alter: Node, state: State) -> None:
    """A foreign key of an older table: TRUNCATE … CASCADE of the new one, and DELETE by the key's action, reach it."""
    definition = command.get("def", {})
    for item in [definition, *definition.get("ColumnDef", {}).get("constraints", [])]:
        key = item.get("Constraint", {})
        if "pktable" in key and not state.is_new_relation(alter["relation"]):
            parent, acts = relation(key["pktable"]), key.get("fk_del_action", "a") not in ("a", "r")
            state.referred[parent] = acts or state.referred.get(parent, False)


@on_alter("AlterColumnType", "AddOf")
def alter_type(command: Node, alter: Node, state: State) -> None:
    """An older column, or table, of a new type: DROP … CASCADE of what that is made of drops it."""
    if not state.is_new_relation(alter["relation"]):
        _is_of(command["def"], relation(alter["relation"]), state)


def _is_of(definition: Node, older: Name, state: State) -> None:
    column = definition.get("ColumnDef", definition)
    used = {dotted(strings(column.get("typeName", definition.get("TypeName"))["names"]))}
    used |= {dotted(strings(column["collClause"]["collname"]))} if "collClause" in column else set()
    state.tied |= {name: older for name in used if not is_builtin_type(name)}


@on("AlterTableStmt")
def alter_attribute(node: Node, state: State) -> None:
    """ALTER TYPE … ALTER ATTRIBUTE: what is dropped with the new type is a part of each value."""
    for command in (item["AlterTableCmd"] for item in node["cmds"] if node["objtype"] == "OBJECT_TYPE"):
        if command["subtype"] == "AT_AlterColumnType":
            _is_of(command["def"], relation(node["relation"]), state)


@on("AlterSeqStmt")
def owned(node: Node, state: State) -> None:
    """ALTER SEQUENCE … OWNED BY: an older one goes with its column, and begins again with its table."""
    owner, sequence = options(node.get("options", [])).get("owned_by"), relation(node["sequence"])
    if owner and not state.is_new(sequence):
        parts = strings(owner["List"]["items"])
        state.tied = {name: each for name, each in state.tied.items() if each != sequence}
        state.tied |= {dotted(parts[:-1]): sequence} if len(parts) > 1 else {}


@on("CreateForeignTableStmt")
def shows_another_server(node: Node, state: State) -> None:
    """CREATE FOREIGN TABLE, also as a partition or an heir of a new table: the rows are another server's."""
    name, server = relation(node["base"]["relation"]), f"server {node['servername']}"
    state.shown[name] = {"schemaname": server, "relname": name[1]}
    for parent in node["base"].get("inhRelations", ()):
        _holds(relation(parent["RangeVar"]), (server, name[1]), state)


@on("ViewStmt")
def shows(node: Node, state: State) -> None:
    """A view of one relation's rows, which PostgreSQL lets everybody change through it."""
    name, query = relation(node["view"]), node["query"].get("SelectStmt", {})
    sources = query.get("fromClause", [])
    is_plain = len(sources) == 1 and "RangeVar" in sources[0] and not any(field in query for field in _NOT_WRITTEN)
    if is_plain:
        state.shown[name] = sources[0]["RangeVar"]
        if "aliases" in node or any("name" in item["ResTarget"] for item in query.get("targetList", ())):
            base = relation(sources[0]["RangeVar"])  # a new column's name may show an old column
            state.created_columns = {column for column in state.created_columns if column[0] != base}
    else:
        state.shown.pop(name, None)


@on("RenameStmt", "AlterObjectSchemaStmt")
def renamed(node: Node, state: State) -> None:
    """Another name shows the same; what moves into a schema of the file, or takes its name, is older."""
    state.made_names -= {("", node.get("newschema")), ("", node.get("newname"))}
    if "relation" in node and "subname" not in node:
        schema, name = relation(node["relation"])
        new = node.get("newschema", schema), node.get("newname", name)
        if (schema, name) in state.shown:
            state.shown[new] = state.shown.pop((schema, name))
        if (schema, name) in state.referred:
            state.referred[new] = state.referred.pop((schema, name))
        if (schema, name) in state.tied:
            state.tied[new] = state.tied.pop((schema, name))


@on("CreateStmt")
def replaced(node: Node, state: State) -> None:
    """A table where a dropped view or foreign table was."""
    state.shown.pop(relation(node["relation"]), None)
