"""Functions: whose rights they run with, and what a call or a DO really runs."""

from __future__ import annotations

import re

from migrations_registry.analysis.model import CONVENTION, SECURITY
from migrations_registry.analysis.nested_statements import DO_BLOCK, body
from migrations_registry.analysis.parsing.nodes import object_name, options, strings, type_name
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.routines import Routine, routine
from migrations_registry.analysis.rule_registry import on, rule
from migrations_registry.analysis.rules.roles import MANAGED
from migrations_registry.analysis.state import State

SECDEF = rule(
    "MS-SECDEF",
    SECURITY,
    "{name}() runs with its owner's rights, but the caller's search_path says in which schema a name is looked "
    "up: a caller can put a table or function of its own there",
    "SET search_path = '' and qualify every name.",
    bad=(
        "CREATE FUNCTION x() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        "ALTER FUNCTION spare() SECURITY DEFINER",
    ),
    good=(
        "CREATE FUNCTION x() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT 1'",
        "CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ),
)
DEFINER_OPEN = rule(
    "MS-DEFINER-OPEN",
    SECURITY,
    "{name}() shows or changes rows with its owner's rights and does not ask who calls it, and {whom}",
    "REVOKE EXECUTE ON FUNCTION … FROM public, anon; in the same file, and GRANT it to one role; or check auth.uid().",
    bad=(
        "CREATE FUNCTION x() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS "
        "'BEGIN DELETE FROM auth.users; END'",
        "CREATE FUNCTION x() RETURNS SETOF orders LANGUAGE sql SECURITY DEFINER SET search_path = '' AS "
        "'SELECT * FROM public.orders'",
        "CREATE FUNCTION x() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT count(*) "
        "FROM public.orders'; REVOKE EXECUTE ON FUNCTION x() FROM public; GRANT EXECUTE ON FUNCTION x() TO anon",
    ),
    good=(
        "CREATE FUNCTION x() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = '' AS "
        "'DELETE FROM auth.users'; REVOKE EXECUTE ON FUNCTION x() FROM PUBLIC",
        "CREATE FUNCTION x() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = '' AS "
        "'DELETE FROM auth.users WHERE id = auth.uid()'",
        "CREATE FUNCTION x() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS "
        "'BEGIN INSERT INTO auth.users VALUES (1); RETURN new; END'",
    ),
)
LEAKPROOF = rule(
    "MS-LEAKPROOF",
    SECURITY,
    "{name}() counts as keeping what it is given to itself: it is called with rows that row security hides",
    "Leave it out; only PostgreSQL's own need it.",
    bad=(
        "ALTER FUNCTION spare() LEAKPROOF",
        "CREATE FUNCTION x() RETURNS int LANGUAGE sql LEAKPROOF AS 'SELECT 1'",
    ),
    good=("ALTER FUNCTION spare() NOT LEAKPROOF",),
)
DO = rule(
    "MX-DO",
    CONVENTION,
    "a DO block: every statement in it is judged as if it stood here",
    "Write the statements at the top level.",
    bad=("DO $$ BEGIN PERFORM 1; END $$",),
    good=("SELECT 'DO $$ BEGIN PERFORM 1; END $$'",),
)

_TOUCHES_ROWS = re.compile(r"\b(from|into|update|truncate|execute|table)\s+[\w\"]", re.IGNORECASE)
_GRAVE = re.compile(r"\b(insert|update|delete|merge|truncate|execute|auth\.\w|vault\.\w)", re.IGNORECASE)
_CALLS = re.compile(r"(\binto\s+|\b(?=extensions\.|pg_catalog\.))?\b\w+\.\w+\s*\(", re.IGNORECASE)
_ASKS = re.compile(r"\bauth\.(uid|jwt|role|email)\s*\(|\bsession_user\b", re.IGNORECASE)
_ASKS_BY_SETTING = re.compile(r"\bcurrent_setting\s*\(\s*'request\.jwt", re.IGNORECASE)
_TEXT = re.compile(r"('(?:[^']|'')*+'?)|--[^\n]*|/\*(?:[^*]|\*(?!/))*+(?:\*/)?")
_BODY = re.compile(r"\b(?:BEGIN\s+ATOMIC|RETURN)\b", re.IGNORECASE)
_RUN = {"OBJECT_AGGREGATE", "OBJECT_OPERATOR"}
_NAMES = {f"OBJECT_{kind}" for kind in ("FUNCTION", "PROCEDURE", "ROUTINE", "AGGREGATE", "OPERATOR")}
_TYPES = {"OBJECT_TYPE", "OBJECT_DOMAIN"}


@on("CreateFunctionStmt")
def create_function(node: Node, state: State) -> None:
    """CREATE FUNCTION: kept for later calls; SECURITY DEFINER needs a fixed search_path."""
    given = options(node.get("options", []))
    settings = _settings(node.get("options", []))
    name = ".".join(part for part in strings(node["funcname"]) if part != "public")
    if given.get("security") is True and not any(setting.get("name") == "search_path" for setting in settings):
        state.see(SECDEF, name=name)
    if given.get("leakproof") is True:
        state.see(LEAKPROOF, name=name)
    made = routine(node, state.source, state.scope.schemas[0])
    if made.is_definer and (whom := _serves(node, made, state)):
        state.see(DEFINER_OPEN, name=name, whom=whom)
    known = state.routines.setdefault(made.name[1], [])
    if all((each.name, each.statement) != (made.name, made.statement) for each in known):
        known.append(made)
    state.made_names.add(made.name)


def _settings(items: list[Node]) -> list[Node]:
    return [item["DefElem"]["arg"]["VariableSetStmt"] for item in items if item["DefElem"]["defname"] == "set"]


def _serves(node: Node, made: Routine, state: State) -> str:
    """Who may call it, in words: no trigger's, where others look, and one that never asks who calls; nobody: ""."""
    text, schema = _TEXT.sub(" ", made.body or made.statement), made.name[0]
    is_trigger = type_name(node.get("returnType", {})) in ("trigger", "event_trigger")
    is_open = schema == "public" or (state.exposed and schema not in MANAGED | {"private"})
    touches = any(map(_TOUCHES_ROWS.search, (made.body or made.statement, text)))
    if is_trigger or not is_open or not touches or asks_caller(made):
        return ""
    if made.name not in state.secured:
        return "everybody may: on Supabase whoever holds the public API key"
    if ("anon", made.name) in state.uses:
        return "whoever holds the public API key may"
    grave = _GRAVE.search(text) and all(found[1] is not None for found in _CALLS.finditer(text))
    return "whoever has signed in may" if ("authenticated", made.name) in state.uses and grave else ""


def asks_caller(made: Routine) -> bool:
    """Whether its body names what tells who calls: no comment or text, and no current_user, which is its owner."""
    body = made.body or _BODY.split(made.statement, maxsplit=1)[-1]  # a default of an argument is the caller's to give
    asks = _ASKS.search(_TEXT.sub(" ", body))
    return bool(asks or _ASKS_BY_SETTING.search(_TEXT.sub(lambda found: found[1] or " ", body)))


@on("AlterFunctionStmt")
def alter_function(node: Node, state: State) -> None:
    """ALTER FUNCTION … SECURITY DEFINER, or RESET of its search_path."""
    actions = options(node.get("actions", []))
    settings = _settings(node.get("actions", []))
    resets = any(setting["kind"].startswith("VAR_RESET") for setting in settings)
    fixed = any(setting.get("name") == "search_path" and not resets for setting in settings)
    if resets or (actions.get("security") is True and not fixed):
        state.see(SECDEF, name=".".join(strings(node["func"]["objname"])))
    if actions.get("leakproof") is True:
        state.see(LEAKPROOF, name=".".join(strings(node["func"]["objname"])))


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
