"""Settings that a file changes for the session that applies it."""

from __future__ import annotations

from typing import Any

from migrations_registry.analysis.model import COMPATIBILITY, CONVENTION, DESTRUCTIVE, EXECUTION, SECURITY
from migrations_registry.analysis.parsing.nodes import function_name, inner_nodes, value
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.rule_registry import on, rule
from migrations_registry.analysis.rules.server import SERVER_FUNCTION
from migrations_registry.analysis.rules.triggers import DISABLE_TRIGGER
from migrations_registry.analysis.state import State

SET_ROLE = rule(
    "MT-SET-ROLE",
    SECURITY,
    "changes the role that runs the rest of the file: what it makes belongs to that role, and what that role may not "
    "do fails",
    "The runner owns the role; split the file by role.",
    bad=(
        "SET ROLE anon; CREATE TABLE x (a int)",
        "SET SESSION AUTHORIZATION anon",
        "SELECT set_config('role', 'anon', false)",
    ),
    good=("SET work_mem = '8MB'", "RESET ROLE"),
)
TIMEOUT_OFF = rule(
    "MT-TIMEOUT-OFF",
    EXECUTION,
    "switches {name} off: a waiting statement then blocks everybody behind it",
    "Leave the limits to the runner.",
    bad=(
        "SET lock_timeout = 0",
        "SET lock_timeout TO '0'",
        "RESET ALL",
        "DISCARD ALL",
        "SELECT set_config('lock_timeout', '0', false)",
    ),
    good=("SET lock_timeout = '2s'", "SET statement_timeout = '5s'"),
)
SEARCH_PATH = rule(
    "MT-SEARCH-PATH",
    EXECUTION,
    "changes in which schemas names without one are looked up (search_path): from here on the same name may mean "
    "another table or function",
    "Write each name with its schema; leave search_path alone.",
    bad=("SET search_path = app, public", "SELECT set_config('search_path', 'app', false)"),
    good=("SET search_path = public", "SELECT set_config('search_path', '', false)"),
)
CATALOG_MODS = rule(
    "MD-CATALOG-MODS",
    DESTRUCTIVE,
    "lets the session {what}: data can be unreadable, or gone, for good",
    "{instead}",
    bad=("SET allow_system_table_mods = on",),
    good=("SET work_mem = '8MB'",),
)
ROLE_SETTING = rule(
    "MC-ROLE-SETTING",
    COMPATIBILITY,
    "sets {name} for every later session of {whom}: statements that worked may wait, be cancelled or answer otherwise",
    "By hand, with the people who run those sessions.",
    bad=("ALTER ROLE anon SET statement_timeout = 0",),
    good=("SET statement_timeout = '5s'",),
)
LATER_NAMES = rule(
    "MS-LATER-SESSIONS",
    SECURITY,
    "sets {name} for every later session: what names mean, whose rights count or what it starts with",
    "Qualify names and set it where it is needed, by SET LOCAL or as an option of one function.",
    bad=("ALTER ROLE anon SET search_path = app", "ALTER ROLE anon SET session_preload_libraries = 'x'"),
    good=("ALTER ROLE anon SET statement_timeout = '5s'",),
)
RAISED = rule(
    "MT-TIMEOUT-RAISED",
    EXECUTION,
    "raises {name} to {value}: whoever needs the table waits behind this one for as long",
    "Leave the limit to the runner, or keep it under a minute.",
    bad=("SET lock_timeout = '10h'", "SET lock_timeout = 90000"),
    good=("SET lock_timeout = '2s'", "SET statement_timeout = '10h'"),
)
GIVEN_BACK = rule(
    "MT-TIMEOUT-RESET",
    CONVENTION,
    "gives {name} back, and nothing that could wait follows",
    "Nothing to do.",
    bad=("SET lock_timeout = '2s'; SELECT 1; RESET lock_timeout",),
    good=("SET lock_timeout = '2s'",),
)
UNLIMITED = rule(
    "MT-STATEMENT-TIMEOUT",
    CONVENTION,
    "lets a statement work for as long as it needs: right for a concurrent build or VALIDATE, which stop nobody",
    "A limit for every statement that holds a strong lock.",
    bad=("SET statement_timeout = 0",),
    good=("SET statement_timeout = '5s'",),
)
_MEANING = {"search_path", "role", "session_authorization", "session_replication_role", "row_security"}
_STRUCTURE = "change the tables in which PostgreSQL keeps its own structure"
_DAMAGED = "read over damaged pages, whose rows it takes for empty", "Restore them from a proven restore point."
_HARMS = {
    "allow_system_table_mods": (_STRUCTURE, "Use the DDL command that does it."),
    "zero_damaged_pages": _DAMAGED,
    "ignore_checksum_failure": _DAMAGED,
    "ignore_invalid_pages": _DAMAGED,
}
_UNITS = {"us": 0.001, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000, "": 1}
_LONGEST_WAIT_MS = 60_000
_TIMEOUTS = {"lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout"}


@on("VariableSetStmt")
def set_variable(node: Node, state: State) -> None:
    """SET, RESET."""
    kind, name = node["kind"], node.get("name", "").lower()
    if name == "search_path":
        _look_in(node, state)
    if kind == "VAR_RESET_ALL":
        state.see(TIMEOUT_OFF, name="every limit")
    elif kind == "VAR_SET_VALUE":
        _set(name, [value(argument) for argument in node.get("args", [])], state)
    elif kind in ("VAR_RESET", "VAR_SET_DEFAULT") and name in _TIMEOUTS:
        state.see(GIVEN_BACK if id(node) in state.last_settings else TIMEOUT_OFF, name=name)


def _look_in(node: Node, state: State) -> None:
    """What unqualified names mean from here on; with SET LOCAL or in a transaction only until it ends."""
    given = [str(value(argument)) for argument in node.get("args", [])]
    state.scope.look_in(given if node["kind"] == "VAR_SET_VALUE" else None, local=bool(node.get("is_local")))


def _set(name: str, values: list[Any], state: State) -> None:
    first = str(values[0]).lower() if values else ""
    if name in ("role", "session_authorization"):
        if first != "none":
            state.see(SET_ROLE, CONVENTION if state.changes_nothing else SECURITY)
    elif name in _TIMEOUTS and first.rstrip("smhd inu") in ("0", "-1"):
        state.see(UNLIMITED if name == "statement_timeout" else TIMEOUT_OFF, name=name)
    elif name == "lock_timeout":
        state.lock_timeout_set = True
        if _milliseconds(first) > _LONGEST_WAIT_MS:
            state.see(RAISED, name=name, value=first)
    elif name == "timezone":
        state.time_zone_set = True
    elif name == "search_path" and first not in ("", "public", "$user", '"$user"'):
        state.see(SEARCH_PATH)
    elif name == "session_replication_role" and first != "origin":
        state.see(DISABLE_TRIGGER, name="every table")
    elif name in _HARMS and first not in ("off", "false", "0"):
        state.see(CATALOG_MODS, what=_HARMS[name][0], instead=_HARMS[name][1])


def _milliseconds(text: str) -> float:
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyz ")
    try:
        return float(digits) * _UNITS.get(text[len(digits) :].strip(), 1)
    except ValueError:
        return 0


@on("DiscardStmt")
def discard(node: Node, state: State) -> None:
    """DISCARD ALL forgets the runner's limits; it and DISCARD TEMP drop what is temporary."""
    if node["target"] == "DISCARD_ALL":
        state.see(TIMEOUT_OFF, name="every limit")
    if node["target"] in ("DISCARD_ALL", "DISCARD_TEMP"):
        state.scope.temporary.clear()


@on("AlterRoleSetStmt", "AlterDatabaseSetStmt")
def role_setting(node: Node, state: State) -> None:
    """ALTER ROLE … SET."""
    name = node["setstmt"].get("name", "").lower()
    grave = name in _MEANING or name.endswith("_preload_libraries")
    whom = f"database {node['dbname']}" if "dbname" in node else node.get("role", {}).get("rolename", "every role")
    state.see(LATER_NAMES if grave else ROLE_SETTING, name=name or "every setting", whom=whom)


@on("SelectStmt", "InsertStmt", "UpdateStmt", "CallStmt")
def setting_functions(node: Node, state: State) -> None:
    """set_config() does by a call what SET does."""
    for kind, call in inner_nodes(node):
        if kind != "FuncCall":
            continue
        name, arguments = function_name(call), call.get("args", [])
        if name == "set_config" and len(arguments) > 1:
            constants = [value(argument) for argument in arguments[:2]]
            if constants[0] == "search_path":
                path = constants[1].split(",") if isinstance(constants[1], str) else None
                state.scope.look_in(path, local=len(arguments) > 2 and value(arguments[2]) is not False)
            if isinstance(constants[0], str):
                _set(constants[0].lower(), [str(constants[1]).split(",")[0].strip()], state)
            else:
                state.see(SERVER_FUNCTION, name="set_config")
