"""Send one statement, top-level or hidden, to every rule enlisted for its node type, then note its locks."""

from __future__ import annotations

from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.postgresql.locks import locks
from migrations_registry.analysis.postgresql.parents import ENDING, parents
from migrations_registry.analysis.rule_registry import AFTER, ALTER, HANDLERS
from migrations_registry.analysis.scope import qualified
from migrations_registry.analysis.state import State


def judge(kind: str, node: Node, state: State) -> None:
    """Let every rule speak; findings and touched relations go into `state`."""
    node = qualified(kind, node, state.scope)
    state.judged.append((kind, node))
    ended = list(parents(kind, node, state)) if kind in ENDING else []
    for handler in HANDLERS.get(kind, ()):
        handler(node, state)
    if kind == "AlterTableStmt" and node["objtype"] != "OBJECT_TYPE":
        for item in node["cmds"]:
            command = item["AlterTableCmd"]
            for alter_handler in ALTER.get(command["subtype"], ()):
                alter_handler(command, node, state)
    own = list(locks(kind, node))
    for name, lock in own:
        state.touch(name, lock)
    for name, lock in ended:
        state.touch(name, lock, beside=(name, lock) not in own)
    taken = [*own, *ended]
    for after in AFTER:
        after(kind, node, taken, state)


def judge_node(node: Node, state: State) -> None:
    """The same for a node that still names its kind: {"SelectStmt": {…}}."""
    kind, inner = next(iter(node.items()))
    judge(kind, inner, state)
