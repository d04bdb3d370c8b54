"""The kinds of statement that PostgreSQL's grammar has, and subcommands of ALTER TABLE. Out: names, those of a text."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from migrations_registry.analysis.parsing.nodes import inner_nodes
from tests.migrations_registry.truth.measuring import pieces

# Kinds of node that no text has at its top: parts of another, or what the server makes of it for itself.
_INNER = {"RawStmt", "ReturnStmt", "PLAssignStmt", "SetOperationStmt", "ReplicaIdentityStmt", "TransactionStmt"}
_INTERNAL = {
    "AT_CookedColumnDefault",
    "AT_ReplaceRelOptions",
    "AT_AddColumnToView",
    "AT_AddIndex",
    "AT_AddIndexConstraint",
}
_GRAMMAR: Any = import_module("postgast.pg_query_pb2")  # its stub is no Python
_NODES = [field.message_type.name for field in _GRAMMAR.Node.DESCRIPTOR.fields if field.message_type]
_COMMANDS = _GRAMMAR.DESCRIPTOR.enum_types_by_name["AlterTableType"].values_by_name
KINDS = {name for name in _NODES if name.endswith("Stmt") and name not in _INNER} | {
    name for name in _COMMANDS if name.startswith("AT_") and not name.startswith("AT_ReAdd") and name not in _INTERNAL
}


def kinds_of(text: str) -> set[str]:
    """Of its statements and their subcommands."""
    found = set()
    for piece in pieces(text):
        found.add(piece.kind)
        found |= {kind for kind, _ in inner_nodes(piece.node) if kind.endswith("Stmt")}
        found |= {item["AlterTableCmd"]["subtype"] for item in piece.node.get("cmds", []) if "AlterTableCmd" in item}
    return found
