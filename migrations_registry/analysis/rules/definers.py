"""Functions that run with their owner's rights: who may call them, and whether they ask who does."""

from __future__ import annotations

import re

from migrations_registry.analysis.model import SECURITY
from migrations_registry.analysis.parsing.nodes import options, strings, type_name
from migrations_registry.analysis.parsing.parser import Node, parse_snippet
from migrations_registry.analysis.routines import Routine, routine
from migrations_registry.analysis.rule_registry import on, rule
from migrations_registry.analysis.rules.roles import MANAGED
from migrations_registry.analysis.rules.triggers import DISABLE_TRIGGER
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
DEFINER_SET = rule(
    "MS-DEFINER-SET",
    SECURITY,
    "from now on {name}() runs with its owner's rights, and this file does not show what it does: row security no "
    "longer keeps its callers from what it reads and writes",
    "CREATE OR REPLACE FUNCTION … SECURITY DEFINER, so that it is judged by its body.",
    bad=("ALTER FUNCTION spare() SECURITY DEFINER SET search_path = ''",),
    good=(
        "CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'; "
        "ALTER FUNCTION x() SECURITY DEFINER SET search_path = ''",
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
_TOUCHES_ROWS = re.compile(r"\b(from|into|update|truncate|execute|table)\s+[\w\"]", re.IGNORECASE)
_GRAVE = re.compile(r"\b(insert|update|delete|merge|truncate|execute|auth\.\w|vault\.\w)", re.IGNORECASE)
_CALLS = re.compile(r"(\binto\s+|\b(?=extensions\.|pg_catalog\.))?\b\w+\.\w+\s*\(", re.IGNORECASE)
_ASKS = re.compile(r"\bauth\.(uid|jwt|role|email)\s*\(|\bsession_user\b", re.IGNORECASE)
_ASKS_BY_SETTING = re.compile(r"\bcurrent_setting\s*\(\s*'request\.jwt", re.IGNORECASE)
_TEXT = re.compile(r"('(?:[^']|'')*+'?)|--[^\n]*|/\*(?:[^*]|\*(?!/))*+(?:\*/)?")
_BODY = re.compile(r"\b(?:BEGIN\s+ATOMIC|RETURN)\b", re.IGNORECASE)


@on("CreateFunctionStmt")
def create_definer(node: Node, state: State) -> None:
    """CREATE FUNCTION … SECURITY DEFINER needs a fixed search_path, and asks who calls."""
    given, settings = options(node.get("options", [])), _settings(node.get("options", []))
    name = ".".join(part for part in strings(node["funcname"]) if part != "public")
    if given.get("security") is True and not any(setting.get("name") == "search_path" for setting in settings):
        state.see(SECDEF, name=name)
    if given.get("leakproof") is True:
        state.see(LEAKPROOF, name=name)
    made = routine(node, state.source, state.scope.schemas[0])
    if made.is_definer and (whom := _serves(node, made, state)):
        state.see(DEFINER_OPEN, name=name, whom=whom)


@on("AlterFunctionStmt")
def alter_definer(node: Node, state: State) -> None:
    """ALTER FUNCTION … SECURITY DEFINER, or RESET of its search_path."""
    actions, settings = options(node.get("actions", [])), _settings(node.get("actions", []))
    parts = strings(node["func"]["objname"])
    name = ".".join(parts)
    resets = any(setting["kind"].startswith("VAR_RESET") for setting in settings)
    fixed = any(setting.get("name") == "search_path" and not resets for setting in settings)
    if resets or (actions.get("security") is True and not fixed):
        state.see(SECDEF, name=name)
    elif actions.get("security") is True:
        made = [each for each in state.routines.get(parts[-1], []) if each.name in state.made_names]
        open_to = [_serves(parse_snippet(each.statement)[0].node, each, state) for each in made]
        if not made:
            state.see(DEFINER_SET, name=name)
        elif whom := next(filter(None, open_to), ""):
            state.see(DEFINER_OPEN, name=name, whom=whom)
    if actions.get("leakproof") is True:
        state.see(LEAKPROOF, name=name)


@on("CreateFunctionStmt", "AlterFunctionStmt")
def own_settings(node: Node, state: State) -> None:
    """SET session_replication_role, which holds while it runs."""
    for setting in _settings(node.get("options") or node.get("actions") or []):
        if setting.get("name") == "session_replication_role" and setting["kind"] == "VAR_SET_VALUE":
            state.see(DISABLE_TRIGGER, name="every table that the function writes")


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
