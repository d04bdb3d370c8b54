"""Settings that a file changes for the session that applies it."""

from __future__ import annotations

from typing import Any

from migrations_registry.analysis.model import COMPATIBILITY, CONVENTION, DESTRUCTIVE, EXECUTION, SECURITY
from migrations_registry.analysis.parsing.nodes import function_name, inner_nodes, value
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.rule_registry import on, rule
from migrations_registry.analysis.rules.rows import SEQUENCE_RESTART
from migrations_registry.analysis.rules.server import SERVER_FUNCTION
from migrations_registry.analysis.rules.triggers import DISABLE_TRIGGER
from migrations_registry.analysis.state import State

SET_ROLE = rule(
    "MT-SET-ROLE",
    SECURITY,
    "changes the role that runs the rest of the file",
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
        "SET statement_timeout TO '0'",
        "RESET ALL",
        "DISCARD ALL",
        "SELECT set_config('lock_timeout', '0', false)",
    ),
    good=("SET lock_timeout = '2s'", "SET statement_timeout = '5s'"),
)
SEARCH_PATH = rule(
    "MT-SEARCH-PATH",
    EXECUTION,
    "changes search_path: unqualified names after it mean something else",
    "Qualify each name; leave search_path alone.",
    bad=("SET search_path = app, public", "SELECT set_config('search_path', 'app', false)"),
    good=("SET search_path = public", "SELECT set_config('search_path', '', false)"),
)
CATALOG_MODS = rule(
    "MD-CATALOG-MODS",
    DESTRUCTIVE,
    "lets the session change system catalogs",
    "Use the DDL command that does it.",
    bad=("SET allow_system_table_mods = on",),
    good=("SET work_mem = '8MB'",),
)
ROLE_SETTING = rule(
    "MC-ROLE-SETTING",
    COMPATIBILITY,
    "changes a setting of every later session",
    "By hand, with the people who run those sessions.",
    bad=("ALTER ROLE anon SET statement_timeout = 0",),
    good=("SET statement_timeout = '5s'",),
)
_TIMEOUTS = {"lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout"}


@on("VariableSetStmt")
def set_variable(node: Node, state: State) -> None:
    """SET, RESET."""
    kind, name = node["kind"], node.get("name", "").lower()
    if kind == "VAR_RESET_ALL":
        state.see(TIMEOUT_OFF, name="every limit")
    elif kind == "VAR_SET_VALUE":
        _set(name, [value(argument) for argument in node.get("args", [])], state)
    elif kind in ("VAR_RESET", "VAR_SET_DEFAULT") and name in _TIMEOUTS:
        state.see(TIMEOUT_OFF, name=name)


def _set(name: str, values: list[Any], state: State) -> None:
    first = str(values[0]).lower() if values else ""
    if name in ("role", "session_authorization"):
        if first != "none":
            state.see(SET_ROLE, CONVENTION if state.changes_nothing else SECURITY)
    elif name in _TIMEOUTS and first.rstrip("smhd inu") in ("0", "-1"):
        state.see(TIMEOUT_OFF, name=name)
    elif name == "lock_timeout":
        state.lock_timeout_set = True
    elif name == "search_path" and first not in ("", "public", "$user", '"$user"'):
        state.see(SEARCH_PATH)
    elif name == "session_replication_role" and first != "origin":
        state.see(DISABLE_TRIGGER, name="every table")
    elif name == "allow_system_table_mods" and first not in ("off", "false", "0"):
        state.see(CATALOG_MODS)


@on("DiscardStmt")
def discard(node: Node, state: State) -> None:
    """DISCARD ALL forgets the runner's limits."""
    if node["target"] == "DISCARD_ALL":
        state.see(TIMEOUT_OFF, name="every limit")


@on("AlterRoleSetStmt", "AlterDatabaseSetStmt")
def role_setting(node: Node, state: State) -> None:
    """ALTER ROLE … SET."""
    state.see(ROLE_SETTING)


@on("SelectStmt", "InsertStmt", "UpdateStmt", "CallStmt")
def setting_functions(node: Node, state: State) -> None:
    """set_config() and setval() do by a call what SET and ALTER SEQUENCE do."""
    for kind, call in inner_nodes(node):
        if kind != "FuncCall":
            continue
        name, arguments = function_name(call), call.get("args", [])
        if name == "set_config" and len(arguments) > 1:
            constants = [value(argument) for argument in arguments[:2]]
            if isinstance(constants[0], str):
                _set(constants[0].lower(), [str(constants[1]).split(",")[0].strip()], state)
            else:
                state.see(SERVER_FUNCTION, name="set_config")
        elif name == "setval" and not _from_maximum(arguments):
            state.see(SEQUENCE_RESTART)


def _from_maximum(arguments: list[Node]) -> bool:
    """setval('s', (SELECT max(id) FROM t)) brings the counter up to the data."""
    calls = {
        function_name(call)
        for argument in arguments[1:2]
        for kind, call in inner_nodes({"": argument})
        if kind == "FuncCall"
    }
    return "max" in calls
