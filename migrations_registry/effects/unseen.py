"""What no transaction's own counters show: refused where a file's text does it, or where a role could do it unseen.

In: a file's bytes; what a role may do on the target, and whether the file runs what nobody can follow. Out: sentences.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from migrations_registry.analysis.dispatch import judge
from migrations_registry.analysis.parsing.nodes import constant, function_name, inner_nodes, strings
from migrations_registry.analysis.parsing.parser import Node, Raw, parse
from migrations_registry.analysis.postgresql.builtin_functions import is_harmless
from migrations_registry.analysis.risk import is_transactional
from migrations_registry.analysis.state import State

SETTINGS = {
    "role": "takes another role",
    "session_authorization": "takes another role",
    "session_replication_role": "switches triggers and foreign keys off",
    "track_counts": "switches the server's counting off",
    "allow_system_table_mods": "opens the system catalogs",
}
# Name (the schema of an extension first) → what calling it does.
FUNCTIONS = (
    (
        r"dblink\w*|http\w*|net\.http\w*|pg_background_\w+|aws_\w+\.\w+",
        "acts on other servers at once",
    ),
    (r"lo_\w+|loread|lowrite", "writes large objects, whose content is not compared"),
    (r"pg_advisory_unlock\w*", "gives up locks by which the runner knows that it is alone"),
    (r"pg_(create|drop|copy)\w*_slot|pg_logical_\w+|pg_replication_\w+", "acts on replication at once"),
    (
        r"pg_(terminate|cancel)_backend|pg_reload_conf|pg_rotate_logfile\w*|pg_promote|pg_switch_wal",
        "acts on the server at once",
    ),
    (
        r"pg_create_restore_point|pg_backup_\w+|pg_wal_replay_\w+|pg_stat_reset\w*|pg_stat_statements_reset",
        "acts on the server at once",
    ),
    (r"pg_file_\w+|pg_ls_\w+|pg_read_\w*file|pg_stat_file|pg_logdir_ls", "reads or writes files of the server"),
)
_FUNCTIONS = tuple((re.compile(names), why) for names, why in FUNCTIONS)


@lru_cache(maxsize=16)  # pages ask again of the same content
def refusals(data: bytes) -> tuple[str, ...]:
    """Per statement, what it does that cannot be measured. Never raises for any bytes."""
    return tuple(per_statement(data, _statement))


def per_statement(data: bytes, tell: Callable[[Raw, State], Iterable[str]]) -> list[str]:
    """ "line 3 …" for whatever `tell` says of each statement, each once. Never raises for any bytes."""
    state, line, position = State(assume_in_transaction=True), 1, 0
    found: list[str] = []
    for item in parse(data):
        line += data.count(b"\n", position, item.start)
        position = item.start
        if isinstance(item, Raw):
            state.source = data[item.start : item.end].decode()
            found += [f"line {line} {said}" for said in dict.fromkeys(tell(item, state))]
    return found


def refused_role(powers: Sequence[str], opaque: bool) -> str:
    """Why a role may not run this file: it could act unseen from within what nobody can follow. Empty where it may."""
    if not powers or not opaque:
        return ""
    return (
        f"The file runs what nobody can follow, and its role could act unseen there: {'; '.join(powers[:5])}. Nothing "
        "was changed. Give the migration role less, or write out what the file calls."
    )


def _statement(item: Raw, state: State) -> Iterator[str]:
    state.findings, state.touched, state.judged = [], {}, []
    try:
        judge(item.kind, item.node, state)
    except RecursionError:
        return
    for kind, node in state.judged:
        yield from _node(kind, node)
    if not is_transactional(item.kind, item.node):
        yield from _alone(item.node)


def _alone(node: Node) -> Iterator[str]:
    """Outside of a transaction nothing is measured before it counts."""
    for inner, call in inner_nodes(node):
        parts = strings(call["funcname"]) if inner == "FuncCall" else []
        if parts and not (parts[0] in (parts[-1], "pg_catalog") and is_harmless(parts)):
            yield f"runs {'.'.join(parts)} outside of a transaction, where what it does cannot be taken back"


def _node(kind: str, node: Node) -> Iterator[str]:
    if kind == "CopyStmt" and (node.get("is_program") or "filename" in node):
        yield "runs a program on the server" if node.get("is_program") else "reads or writes a file of the server"
    if kind == "CopyStmt" and not {"is_program", "filename", "is_from"} & node.keys():
        yield "sends rows to a client that does not read them"
    if kind == "ImportForeignSchemaStmt" or (kind == "CreateForeignTableStmt"):
        yield "makes tables of another server, whose rows are not counted"
    for setting in _settings(kind, node):
        name = "role" if setting.get("name") == "role" else setting.get("name", "")
        if name in SETTINGS and not str(setting.get("kind", "")).startswith("VAR_RESET"):
            yield f"{SETTINGS[name]} ({name})"
    for inner, call in inner_nodes(node):
        if inner == "FuncCall":
            yield from _call(call)


def _settings(kind: str, node: Node) -> Iterator[Node]:
    """SET at the top, and SET as an option of a function."""
    if kind == "VariableSetStmt":
        yield node
    for option in [*node.get("options", []), *node.get("actions", [])] if "Function" in kind else ():
        argument: Any = option.get("DefElem", {}).get("arg", {})
        if "VariableSetStmt" in argument:
            yield argument["VariableSetStmt"]


def _call(call: Node) -> Iterator[str]:
    name, last = function_name(call), strings(call["funcname"])[-1]
    for pattern, why in _FUNCTIONS:
        if pattern.fullmatch(name) or pattern.fullmatch(last):
            yield f"calls {name}, which {why}"
            return
    first = call.get("args", [{}])[0].get("A_Const") if name == "set_config" else None
    if first and (setting := str(constant(first)).lower()) in SETTINGS:
        yield f"{SETTINGS[setting]} ({setting})"
