"""One small reader per kind of statement: what PostgreSQL's catalogue holds after it. Enlisted in READERS."""

from __future__ import annotations

from collections.abc import Iterator

from migrations_registry.analysis.parsing.nodes import dotted, modifiers, relation, strings, type_name
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.observing.expected_objects import Expectation, reads

DROPS = {
    "OBJECT_TABLE": "table",
    "OBJECT_VIEW": "view",
    "OBJECT_MATVIEW": "materialized view",
    "OBJECT_INDEX": "index",
    "OBJECT_SEQUENCE": "sequence",
    "OBJECT_TYPE": "type",
    "OBJECT_DOMAIN": "type",
}


def _name(node: Node) -> str:
    return ".".join(relation(node))


@reads("CreateStmt")
def _table(node: Node) -> Iterator[Expectation]:
    table = _name(node["relation"])
    yield Expectation("table", table)
    for item in node.get("tableElts", []):
        if "ColumnDef" in item:
            yield Expectation("column", f"{table}.{item['ColumnDef']['colname']}")
            yield from _constraints(table, item["ColumnDef"].get("constraints", []))
        elif "Constraint" in item:
            yield from _constraints(table, [item])


def _constraints(table: str, items: list[Node]) -> Iterator[Expectation]:
    for item in items:
        if name := item["Constraint"].get("conname"):
            yield Expectation("constraint", f"{table}.{name}")


@reads("AlterTableStmt")
def _alter(node: Node) -> Iterator[Expectation]:
    if node.get("objtype") != "OBJECT_TABLE":
        return
    table = _name(node["relation"])
    for item in node["cmds"]:
        yield from _command(table, item["AlterTableCmd"])


def _command(table: str, command: Node) -> Iterator[Expectation]:
    kind, definition = command["subtype"].removeprefix("AT_"), command.get("def", {})
    column = f"{table}.{command.get('name', '')}"
    if kind == "AddColumn":
        yield Expectation("column", f"{table}.{definition['ColumnDef']['colname']}")
        yield from _constraints(table, definition["ColumnDef"].get("constraints", []))
    elif kind == "AddConstraint":
        yield from _constraints(table, [definition])
    elif kind in ("DropColumn", "DropConstraint"):
        yield Expectation("column" if kind == "DropColumn" else "constraint", column, present=False)
    elif kind in ("EnableRowSecurity", "DisableRowSecurity"):
        yield Expectation("row security", table, facet="is", value="on" if kind[0] == "E" else "off")
    elif kind in ("SetNotNull", "DropNotNull"):
        yield Expectation("column", column, facet="not null", value="yes" if kind[0] == "S" else "no")
    elif kind == "ColumnDefault":
        yield Expectation("default", column, present=bool(definition))
    elif kind == "AlterColumnType":
        yield Expectation("column", column, facet="type", value=type_text(definition["ColumnDef"]["typeName"]))


def type_text(node: Node) -> str:
    """A type as both a file and the catalogue write it: varchar(20), int4[]."""
    size = modifiers(node)
    text = type_name(node) + (f"({', '.join(map(str, size))})" if size else "")
    return text + "[]" * len(node.get("arrayBounds", []))


@reads("IndexStmt")
def _index(node: Node) -> Iterator[Expectation]:
    if node.get("idxname"):
        schema, table = relation(node["relation"])
        yield Expectation("index", f"{schema}.{node['idxname']}", facet="valid on", value=f"{schema}.{table}")


@reads("ViewStmt")
def _view(node: Node) -> Iterator[Expectation]:
    yield Expectation("view", _name(node["view"]))


@reads("CreateTableAsStmt")
def _made_of_query(node: Node) -> Iterator[Expectation]:
    kind = "materialized view" if node.get("objtype") == "OBJECT_MATVIEW" else "table"
    yield Expectation(kind, _name(node["into"]["rel"]))


@reads("SelectStmt")
def _selected_into(node: Node) -> Iterator[Expectation]:
    if "intoClause" in node:
        yield Expectation("table", _name(node["intoClause"]["rel"]))


@reads("CreateSeqStmt")
def _sequence(node: Node) -> Iterator[Expectation]:
    yield Expectation("sequence", _name(node["sequence"]))


@reads("CreateEnumStmt", "CreateDomainStmt", "CreateRangeStmt", "CompositeTypeStmt")
def _type(node: Node) -> Iterator[Expectation]:
    if "typevar" in node:
        yield Expectation("type", _name(node["typevar"]))
    else:
        yield Expectation("type", ".".join(dotted(strings(node.get("domainname") or node["typeName"]))))


@reads("AlterEnumStmt")
def _enum_value(node: Node) -> Iterator[Expectation]:
    name = ".".join(dotted(strings(node["typeName"])))
    yield Expectation("type", name, facet=f"has {node['newVal']!r}", value="yes")


@reads("CreateSchemaStmt")
def _schema(node: Node) -> Iterator[Expectation]:
    if node.get("schemaname"):
        yield Expectation("schema", node["schemaname"], weak=bool(node.get("if_not_exists")))


@reads("CreateExtensionStmt")
def _extension(node: Node) -> Iterator[Expectation]:
    yield Expectation("extension", node["extname"], weak=bool(node.get("if_not_exists")))


@reads("CreateFunctionStmt")
def _function(node: Node) -> Iterator[Expectation]:
    name = ".".join(dotted(strings(node["funcname"])))
    kind = "procedure" if node.get("is_procedure") else "function"
    body = function_body(node)
    yield Expectation(kind, name, facet="body" if body else "", value=body)


def function_body(node: Node) -> str:
    """The text of AS '…'; empty for a body of parsed SQL."""
    for option in node.get("options", []):
        if option["DefElem"]["defname"] == "as":
            return "\n".join(strings(option["DefElem"]["arg"]["List"]["items"]))
    return ""


@reads("CreateTrigStmt")
def _trigger(node: Node) -> Iterator[Expectation]:
    yield Expectation("trigger", f"{node['trigname']} on {_name(node['relation'])}")


@reads("CreatePolicyStmt")
def _policy(node: Node) -> Iterator[Expectation]:
    yield Expectation("policy", f"{node['policy_name']} on {_name(node['table'])}")


@reads("RenameStmt")
def _rename(node: Node) -> Iterator[Expectation]:
    kind = {"OBJECT_TABLE": "table", "OBJECT_COLUMN": "column", "OBJECT_INDEX": "index"}.get(node["renameType"])
    if kind is None:
        return
    schema, table = relation(node["relation"])
    base = f"{schema}.{table}" if kind == "column" else schema
    yield Expectation(kind, f"{base}.{node['subname'] if kind == 'column' else table}", present=False)
    yield Expectation(kind, f"{base}.{node['newname']}", facet="valid on" if kind == "index" else "")


@reads("DropStmt")
def _drop(node: Node) -> Iterator[Expectation]:
    removed = node["removeType"]
    for item in node.get("objects", []):
        if removed in DROPS:
            parts = item.get("List", {}).get("items") or item.get("TypeName", {}).get("names", [])
            facet = "valid on" if removed == "OBJECT_INDEX" else ""
            yield Expectation(DROPS[removed], ".".join(dotted(strings(parts))), present=False, facet=facet)
        elif removed in ("OBJECT_TRIGGER", "OBJECT_POLICY"):
            *table, name = strings(item["List"]["items"])
            yield Expectation(removed[7:].lower(), f"{name} on {'.'.join(dotted(table))}", present=False)
        elif removed in ("OBJECT_FUNCTION", "OBJECT_PROCEDURE"):
            name = ".".join(dotted(strings(item["ObjectWithArgs"]["objname"])))
            yield Expectation(removed[7:].lower(), name, present=False)
