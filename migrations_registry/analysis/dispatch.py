"""Send one statement, top-level or hidden, to every rule enlisted for its node type, then note its locks."""

from __future__ import annotations

from migrations_registry.analysis.model import Name
from migrations_registry.analysis.parsing.nodes import DML, relation
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.postgresql.locks import locks
from migrations_registry.analysis.postgresql.parents import ENDING, parents
from migrations_registry.analysis.rule_registry import AFTER, ALTER, HANDLERS
from migrations_registry.analysis.scope import qualified
from migrations_registry.analysis.state import State


def judge(kind: str, node: Node, state: State) -> None:
    """Let every rule speak; findings and touched relations go into `state`."""
    node = qualified(kind, node, state.scope)
    if state.shown and kind in DML and "relation" in node:
        node = _through_views(node, state)
    state.judged.append((kind, node))
    ended = list(parents(kind, node, state)) if kind in ENDING else []
    own = list(locks(kind, node))
    new = {name for name, _ in own if state.is_new(name)}  # what is dropped or renamed is so no more afterwards
    for handler in HANDLERS.get(kind, ()):
        handler(node, state)
    if kind == "AlterTableStmt" and node["objtype"] != "OBJECT_TYPE":
        for item in node["cmds"]:
            command = item["AlterTableCmd"]
            for alter_handler in ALTER.get(command["subtype"], ()):
                alter_handler(command, node, state)
    for name, lock in own:
        state.touch(name, lock, is_new=name in new)
    for name, lock in ended:
        state.touch(name, lock, beside=(name, lock) not in own)
    taken = [each for each in own if each[0] not in new] + ended
    for after in AFTER:
        after(kind, node, taken, state)


def _through_views(node: Node, state: State) -> Node:
    """Who changes a view's rows changes those of what it shows; `through`: the views, whose own triggers run too."""
    known: set[Name] = set()
    while (name := relation(node["relation"])) in state.shown and name not in known:
        known.add(name)
        own = node["relation"].get("alias", {"aliasname": name[1]})
        through = [*node.get("through", ()), node["relation"]]
        node = {**node, "relation": {**state.shown[name], "alias": own}, "through": through}
    return node


def judge_node(node: Node, state: State) -> None:
    """The same for a node that still names its kind: {"SelectStmt": {…}}."""
    kind, inner = next(iter(node.items()))
    judge(kind, inner, state)
