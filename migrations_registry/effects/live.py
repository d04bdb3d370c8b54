"""What a target does by itself when rows or objects change: foreign keys, views, triggers, rules, event triggers.

In: allowances, what is known of the target, the risk that is voted on. Out: the same, with what follows from them. Only
what can be read is followed: a body that cannot be read adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from migrations_registry.analysis.risk import ROUTINE, SENSITIVE
from migrations_registry.effects.model import (
    DELETED,
    INSERTED,
    MOVED,
    ROWS,
    SET_BACK,
    TRUNCATED,
    UPDATED,
    Allowance,
    Name,
)
from migrations_registry.effects.text.follow import function_allowances

MOST = 5_000
EVENTS = {4: INSERTED, 8: DELETED, 16: UPDATED, 32: TRUNCATED}  # bits of pg_trigger.tgtype and of CREATE TRIGGER
# What a body that was there before may do unasked: log a row. The rest needs the votes for it.
_ADDED = frozenset({INSERTED, MOVED})
_WITH_VOTES = {ROUTINE: _ADDED, SENSITIVE: _ADDED | {UPDATED}}


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key from `child`: what it does there ("deleted", "updated" or "") when rows of `parent` change."""

    child: Name
    parent: Name
    on_delete: str
    on_update: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger or rule of `table` (none: of the schema), on what it fires, and the text that it runs."""

    table: Name
    name: str
    on: frozenset[str]
    text: str


@dataclass(frozen=True, slots=True)
class Live:
    """`views`: (view, relation under it). All names as (schema, name)."""

    references: tuple[Reference, ...] = ()
    views: tuple[tuple[Name, Name], ...] = ()
    triggers: tuple[Trigger, ...] = ()


def expanded(found: Iterable[Allowance], live: Live, voted: str) -> list[Allowance]:
    """The allowances and all that follows from them, each once."""
    known: dict[Allowance, None] = {}
    waiting = list(found)
    while waiting and len(known) < MOST:
        each = waiting.pop()
        if each not in known:
            known[each] = None
            waiting += _follows(each, live, voted)
    return list(known)


def _follows(each: Allowance, live: Live, voted: str) -> Iterator[Allowance]:
    rows = each.verbs & (ROWS | {TRUNCATED, SET_BACK})
    for view, under in live.views:
        if view == each.name and rows & ROWS:
            yield replace(each, name=under, because=_by(each, f"view {'.'.join(view)}"), statement=-1)
    for reference in live.references:
        if rows and reference.parent == each.name:
            yield from _acts(reference, rows, each)
    for trigger in live.triggers:
        if trigger.on & each.verbs and trigger.table in ((), each.name):
            of = f" of {'.'.join(trigger.table)}" if trigger.table else ""
            yield from _done_by(trigger.text, voted, _by(each, f"{trigger.name}{of}"))


def _done_by(text: str, voted: str, why: str) -> Iterator[Allowance]:
    """What a trigger's function or a rule says, as far as the votes go."""
    for write in function_allowances(text):
        if verbs := write.verbs & _WITH_VOTES.get(voted, write.verbs):
            yield replace(write, verbs=verbs, because=why)


def _acts(reference: Reference, rows: frozenset[str], each: Allowance) -> Iterator[Allowance]:
    done = {reference.on_delete for verb in rows if verb == DELETED} | {
        reference.on_update for verb in rows if verb == UPDATED
    }
    if done - {""}:
        yield Allowance(frozenset(done - {""}), reference.child, parts=True, because=_by(each, "its foreign key"))
    if rows & {TRUNCATED, SET_BACK} and each.cascades:
        yield replace(each, name=reference.child, because=_by(each, "its foreign key"))


def _by(each: Allowance, what: str) -> str:
    return f"{each.because.partition(',')[0]}, by {what}"
