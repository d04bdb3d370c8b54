"""What a target does by itself when rows change: foreign keys that act, views that pass on, triggers that write.

In: allowances and what is known of the target. Out: the same, with what follows from them. Only what can be read is
followed: a trigger's body that cannot be read adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from migrations_registry.effects.follow import function_allowances
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

MOST = 5_000
EVENTS = {4: INSERTED, 8: DELETED, 16: UPDATED, 32: TRUNCATED}  # bits of pg_trigger.tgtype and of CREATE TRIGGER


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key from `child`: what it does there ("deleted", "updated" or "") when rows of `parent` change."""

    child: Name
    parent: Name
    on_delete: str
    on_update: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger of `table`, on what it fires, and its function's text, in which is read what it does."""

    table: Name
    name: str
    on: frozenset[str]
    function: str


@dataclass(frozen=True, slots=True)
class Live:
    """`views`: (view, relation under it). All names as (schema, name).

    `voted`: the votes were for something destructive, so what triggers do to rows was shown to those who gave them.
    """

    references: tuple[Reference, ...] = ()
    views: tuple[tuple[Name, Name], ...] = ()
    triggers: tuple[Trigger, ...] = ()
    voted: bool = False


def expanded(found: Iterable[Allowance], live: Live) -> list[Allowance]:
    """The allowances and all that follows from them, each once."""
    known: dict[Allowance, None] = {}
    waiting = list(found)
    while waiting and len(known) < MOST:
        each = waiting.pop()
        if each not in known:
            known[each] = None
            waiting += _follows(each, live)
    return list(known)


def _follows(each: Allowance, live: Live) -> Iterator[Allowance]:
    rows = each.verbs & (ROWS | {TRUNCATED, SET_BACK})
    if not rows:
        return
    for view, under in live.views:
        if view == each.name and rows & ROWS:
            yield replace(each, name=under, because=_by(each, f"view {'.'.join(view)}"))
    for reference in live.references:
        if reference.parent == each.name:
            yield from _acts(reference, rows, each)
    for trigger in live.triggers:
        if trigger.table == each.name and trigger.on & rows:
            why = _by(each, f"trigger {trigger.name} of {'.'.join(trigger.table)}")
            yield from _writes(trigger.function, ROWS | {MOVED} if live.voted else frozenset({INSERTED, MOVED}), why)


def _writes(function: str, shown: frozenset[str], why: str) -> Iterator[Allowance]:
    """Rows that a trigger adds elsewhere, as a log does; what else it does only where people were asked about it."""
    for write in function_allowances(function):
        if verbs := write.verbs & shown:
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
