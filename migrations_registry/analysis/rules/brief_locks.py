"""A lock that no other rule has told of: somebody waits for it, if only for a moment."""

from __future__ import annotations

from migrations_registry.analysis.model import AX, BLOCKING, CONVENTION, SH, STRENGTH, Name, label
from migrations_registry.analysis.parsing.nodes import DML, function_name, inner_nodes
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.rule_registry import AFTER, rule
from migrations_registry.analysis.state import State

BRIEF = rule(
    "ML-BRIEF-AX",
    CONVENTION,
    "changes {name}: {who} for a moment, and its rows stay as they are",
    "A short lock_timeout; the runner sets one.",
    lock=AX,
    bad=(
        "ALTER TABLE orders ALTER COLUMN note SET STORAGE external",
        "ALTER TABLE lines ALTER CONSTRAINT lines_order_fk DEFERRABLE",
        "ALTER TABLE lines RENAME CONSTRAINT lines_order_fk TO x",
        "CREATE TABLE x (at int); ALTER TABLE events_new INHERIT x",
    ),
    good=("ALTER TABLE orders SET (fillfactor = 70)", "CREATE TABLE x (a int); ALTER TABLE x RENAME CONSTRAINT y TO z"),
)
PAUSE = rule(
    "ML-PAUSE",
    BLOCKING,
    "waits on purpose while nobody can use {names}, which an earlier statement of the transaction locked",
    "Leave the pause out, or put it and what follows into the next file.",
    lock=AX,
    bad=("BEGIN; ALTER TABLE orders ADD COLUMN x int; SELECT pg_sleep(0.01); COMMIT",),
    good=("SELECT pg_sleep(60)", "BEGIN; CREATE TABLE x (a int); SELECT pg_sleep(60); COMMIT"),
)
_PAUSES = {"pg_sleep", "pg_sleep_for", "pg_sleep_until"}


def pause(kind: str, node: Node, _taken: list[tuple[Name, str]], state: State) -> None:
    """After each query: whether it sleeps on a lock."""
    if not state.locked or kind not in DML:
        return
    held = sorted(label(name) for name, lock in state.locked.items() if lock == AX)
    if held and any(key == "FuncCall" and function_name(each) in _PAUSES for key, each in inner_nodes(node)):
        state.see(PAUSE, names=", ".join(held))


def untold_lock(kind: str, _node: Node, taken: list[tuple[Name, str]], state: State) -> None:
    """After each statement: whether a finding speaks of its strongest lock."""
    if not taken or kind in DML or state.is_later:
        return
    strong = {name: lock for name, lock in taken if STRENGTH[lock] >= STRENGTH[SH] and not state.is_new(name)}
    if not strong:
        return
    told = max((STRENGTH[finding.lock] for finding in state.findings if finding.lock), default=-1)
    untold = {name: lock for name, lock in strong.items() if STRENGTH[lock] > told}
    if untold:
        strongest = max(untold.values(), key=STRENGTH.__getitem__)
        brief_lock(strongest, list(untold), state)


def brief_lock(lock: str, names: list[Name], state: State) -> None:
    """Say who waits for a lock that is given back at once."""
    who = "nobody can read or write it" if lock == AX else "its writers wait"
    state.see(BRIEF, None, None, lock, who=who, name=", ".join(label(name) for name in names))


AFTER += (untold_lock, pause)
