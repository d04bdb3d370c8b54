"""Which rows a statement may write, and which sequences it may move.

In: a node of INSERT, UPDATE, DELETE, MERGE, COPY or of anything that calls setval and nextval. Out: allowances.
"""

from __future__ import annotations

from collections.abc import Iterator

from migrations_registry.analysis.parsing.nodes import function_name, inner_nodes
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.effects.model import DELETED, INSERTED, MOVED, SET_BACK, UPDATED, Allowance
from migrations_registry.effects.text.names import Scope

SEQUENCE = frozenset({"sequence"})
_CALLS = {"setval": frozenset({MOVED, SET_BACK}), "nextval": frozenset({MOVED})}


def written(kind: str, node: Node, scope: Scope) -> Iterator[Allowance]:
    """Rows of the statement's own target, and of the inheriting tables and partitions under it."""
    verbs = frozenset(_verbs(kind, node))
    if verbs and "relation" in node:
        for name in scope.relation(node["relation"]):
            yield Allowance(verbs, name, parts=True)
            if verbs - {DELETED}:
                yield Allowance(frozenset({MOVED}), name, SEQUENCE, parts=True)
    yield from _sequences(node, scope)


def _verbs(kind: str, node: Node) -> Iterator[str]:
    if kind == "MergeStmt":
        done = {item["MergeWhenClause"]["commandType"] for item in node["mergeWhenClauses"]}
        for word, verb in (("CMD_INSERT", INSERTED), ("CMD_UPDATE", UPDATED), ("CMD_DELETE", DELETED)):
            if word in done:
                yield verb
    elif kind == "InsertStmt":
        yield INSERTED
        if node.get("onConflictClause", {}).get("action") == "ONCONFLICT_UPDATE":
            yield UPDATED
    elif kind in ("UpdateStmt", "DeleteStmt"):
        yield UPDATED if kind == "UpdateStmt" else DELETED
    elif kind == "CopyStmt" and node.get("is_from"):
        yield INSERTED


def _sequences(node: Node, scope: Scope) -> Iterator[Allowance]:
    for kind, call in inner_nodes(node):
        name = function_name(call) if kind == "FuncCall" else ""
        if name in _CALLS and call.get("args"):
            yield from _sequence(_CALLS[name], call["args"][0], scope)


def _sequence(verbs: frozenset[str], argument: Node, scope: Scope) -> Iterator[Allowance]:
    """A sequence written out as text, or by pg_get_serial_sequence of a table written out."""
    while "TypeCast" in argument:
        argument = argument["TypeCast"]["arg"]
    call = argument.get("FuncCall")
    if call and function_name(call) == "pg_get_serial_sequence":
        for name in _text(call["args"][0], scope):
            yield Allowance(verbs, name, SEQUENCE, parts=True)
    for name in _text(argument, scope):
        yield Allowance(verbs, name, SEQUENCE)


def _text(node: Node, scope: Scope) -> list[tuple[str, ...]]:
    text = node.get("A_Const", {}).get("sval", {}).get("sval", "")
    parts = [part.removeprefix('"').removesuffix('"') if part[:1] == '"' else part.lower() for part in text.split(".")]
    return scope.names(parts) if text else []
