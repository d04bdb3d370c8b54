"""What a file's statements declare to do: all that the analysis follows, bodies of blocks and functions included.

In: the file's bytes, which of its statements, and what is known of the target. Out: DeclaredEffects. What nobody can
follow declares nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from migrations_registry.analysis.parsing.nodes import strings
from migrations_registry.analysis.parsing.parser import Node, Raw, parse
from migrations_registry.analysis.risk import ROUTINE
from migrations_registry.analysis.state import State
from migrations_registry.effects.live import EVENTS, Live, Trigger, expanded
from migrations_registry.effects.model import DELETED, INSERTED, UPDATED, Allowance, DeclaredEffects
from migrations_registry.effects.text.follow import statement_allowances
from migrations_registry.effects.text.names import Scope
from migrations_registry.effects.text.renames import Rename, renamed, under_both
from migrations_registry.effects.text.rows import written

NOTHING_KNOWN = Live()
_RULE_EVENTS = {"CMD_INSERT": INSERTED, "CMD_UPDATE": UPDATED, "CMD_DELETE": DELETED}


def declared(
    data: bytes, wanted: Iterable[int] | None = None, live: Live = NOTHING_KNOWN, *, voted: str = ROUTINE
) -> DeclaredEffects:
    """What the `wanted` statements (by their place in the file; None: all) may do. Never raises for any bytes.

    `voted`: the risk that people agreed to; the more, the more of what the target does by itself is among it.
    """
    chosen = None if wanted is None else set(wanted)
    state, scope = State(assume_in_transaction=True), Scope()
    found: list[Allowance] = []
    renames: list[Rename] = []
    triggers = list(live.triggers)
    line, position = 1, 0
    for at, item in enumerate(parse(data)):
        line += data.count(b"\n", position, item.start)
        position = item.start
        if not isinstance(item, Raw):
            continue
        state.source = data[item.start : item.end].decode()
        said = statement_allowances(item, state, scope)
        triggers += _triggers(item.kind, item.node, state, scope)
        if chosen is None or at in chosen:
            found += _placed(said, list(written(item.kind, item.node, scope)), at, f"line {line}")
            renames += [pair for kind, node in state.judged for pair in renamed(kind, node, scope)]
    known = replace(live, triggers=tuple(triggers))
    return DeclaredEffects(tuple(expanded(under_both(found, renames), known, voted)))


def _placed(said: list[Allowance], own: list[Allowance], at: int, because: str) -> Iterator[Allowance]:
    """With their place in the file; the statement's `own` are said first, a body in it may say the same again."""
    for each in said:
        is_own = each in own
        if is_own:
            own.remove(each)
        yield replace(each, because=because, statement=at if is_own else -1)


def _triggers(kind: str, node: Node, state: State, scope: Scope) -> Iterator[Trigger]:
    """Triggers that the file makes, with functions that it makes, and rules."""
    if kind == "RuleStmt" and node["event"] in _RULE_EVENTS:
        for table in scope.relation(node["relation"]):
            yield Trigger(table, f"rule {node['rulename']}", frozenset({_RULE_EVENTS[node["event"]]}), state.source)
    if kind != "CreateTrigStmt":
        return
    for function in state.routines.get(strings(node["funcname"])[-1], ()):
        fires = frozenset(verb for bit, verb in EVENTS.items() if node["events"] & bit)
        for table in scope.relation(node["relation"]):
            yield Trigger(table, f"trigger {node['trigname']}", fires, function.statement)
