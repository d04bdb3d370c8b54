"""What the measure before COMMIT cannot take back or does not see in this file, said to the people who decide.

In: a file's bytes. Out: sentences, by statement. What it could not see at all is refused (`unseen`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from migrations_registry.analysis.dispatch import judge
from migrations_registry.analysis.model import OPAQUE
from migrations_registry.analysis.parsing.nodes import function_name, inner_nodes
from migrations_registry.analysis.parsing.parser import Node, Raw
from migrations_registry.analysis.risk import is_transactional
from migrations_registry.analysis.state import State
from migrations_registry.effects.unseen import per_statement

ALONE = "runs outside of a transaction: it is compared right after, nothing takes it back"
FOLLOWED = "runs what nobody can follow: whatever it does beyond the lines above is rolled back"
NOTIFIES = "sends a notification at COMMIT, which is not compared"
SEQUENCE = "moves a sequence, which no rollback takes back"
CALLS = {"pg_notify": NOTIFIES, "setval": SEQUENCE, "nextval": SEQUENCE}


@lru_cache(maxsize=16)  # pages ask again of the same content
def remarks(data: bytes) -> tuple[str, ...]:
    """ "line 3 sends a notification …", each once. Never raises for any bytes."""
    return tuple(per_statement(data, _statement))


def _statement(item: Raw, state: State) -> Iterator[str]:
    if not is_transactional(item.kind, item.node):
        yield ALONE
    state.findings, state.touched, state.judged = [], {}, []
    try:
        judge(item.kind, item.node, state)
    except RecursionError:
        yield FOLLOWED
        return
    if any(finding.severity == OPAQUE for finding in state.findings):
        yield FOLLOWED
    for kind, node in state.judged:
        yield from _node(kind, node)


def _node(kind: str, node: Node) -> Iterator[str]:
    if kind == "NotifyStmt":
        yield NOTIFIES
    for inner, call in inner_nodes(node):
        if inner == "FuncCall" and (name := function_name(call)) in CALLS:
            yield CALLS[name]
