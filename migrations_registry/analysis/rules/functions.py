"""What a call or a DO really runs, and the names under which it is known."""

from __future__ import annotations

from migrations_registry.analysis.model import CONVENTION
from migrations_registry.analysis.nested_statements import DO_BLOCK, body
from migrations_registry.analysis.parsing.nodes import object_name, options, strings
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.routines import routine
from migrations_registry.analysis.rule_registry import on, rule
from migrations_registry.analysis.state import State

DO = rule(
    "MX-DO",
    CONVENTION,
    "a DO block: every statement in it is judged as if it stood here",
    "Write the statements at the top level.",
    bad=("DO $$ BEGIN PERFORM 1; END $$",),
    good=("SELECT 'DO $$ BEGIN PERFORM 1; END $$'",),
)

_RUN = {"OBJECT_AGGREGATE", "OBJECT_OPERATOR"}
_NAMES = {f"OBJECT_{kind}" for kind in ("FUNCTION", "PROCEDURE", "ROUTINE", "AGGREGATE", "OPERATOR")}
_TYPES = {"OBJECT_TYPE", "OBJECT_DOMAIN"}


@on("CreateFunctionStmt")
def create_function(node: Node, state: State) -> None:
    """CREATE FUNCTION: kept for later calls."""
    made = routine(node, state.source, state.scope.schemas[0])
    known = state.routines.setdefault(made.name[1], [])
    if all((each.name, each.statement) != (made.name, made.statement) for each in known):
        known.append(made)
    state.made_names.add(made.name)


@on("DoStmt")
def do(node: Node, state: State) -> None:
    """DO: its body runs at once."""
    given = options(node["args"])
    state.see(DO)
    body(str(given.get("language", "plpgsql")).lower(), str(given["as"]), _as_block(str(given["as"])), DO_BLOCK, state)


def _as_block(text: str) -> str:
    tag = "$body$"
    while tag in text:
        tag = tag[:-1] + "x$"
    return f"DO {tag}{text}{tag}"


@on("CreateEnumStmt", "CreateDomainStmt", "CreateRangeStmt", "CompositeTypeStmt", "DefineStmt")
def other_names_made(node: Node, state: State) -> None:
    """A type; an aggregate or an operator, whose functions are judged where it is made; a range's constructor."""
    parts = strings(node.get("defnames") or node.get("domainname") or node.get("typeName") or [])
    if "typevar" in node:
        parts = [node["typevar"].get("schemaname", state.scope.schemas[0]), node["typevar"]["relname"]]
    name = (parts[-2] if len(parts) > 1 else state.scope.schemas[0], parts[-1])
    if node.get("kind") in _RUN or "params" in node:
        state.made_names.add(name)
    if "domainname" not in node:
        state.plain_types.add(name)
    if node.get("kind") not in _RUN and not state.hidden:
        state.made_types[name] = state.transaction


@on("RenameStmt", "AlterObjectSchemaStmt")
def other_name(node: Node, state: State) -> None:
    """It keeps what is known of it under its new name, and the old one may mean another."""
    if (node.get("renameType") or node["objectType"]) in _NAMES and "object" in node:
        old = object_name(node["object"])[1]
        known = any(name[1] == old for name in state.made_names)
        state.made_names = {name for name in state.made_names if name[1] != old}
        if known:
            state.made_names.add((node.get("newschema", state.scope.schemas[0]), node.get("newname", old)))
    elif (node.get("renameType") or node["objectType"]) in _TYPES and object_name(node["object"]) in state.made_types:
        schema, name = object_name(node["object"])
        new = node.get("newschema", schema), node.get("newname", name)
        state.made_types[new] = state.made_types.pop((schema, name))


@on("DropStmt")
def drop_names(node: Node, state: State) -> None:
    """After it, the name may mean another one."""
    if node["removeType"] in _NAMES:
        gone = {object_name(item)[1] for item in node["objects"]}
        state.made_names = {name for name in state.made_names if name[1] not in gone}
    elif node["removeType"] in _TYPES:
        for item in node["objects"]:
            state.made_types.pop(object_name(item), None)
