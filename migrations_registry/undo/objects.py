"""From three looks at a schema (before a migration, after it, now) to the statements that bring back what it destroyed.

Pure. What it only made stays; what somebody changed since stays, and is told. In: fingerprints. Out: Actions, notes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from migrations_registry.fingerprint import Fingerprint, SchemaObject
from migrations_registry.undo.action import Action
from migrations_registry.undo.remarks import remarks_back
from migrations_registry.undo.statements import change, make

WHOLE = frozenset(["table", "view", "materialized view", "foreign table"])
# Told with something else, or by a place that PostgreSQL gives away once.
UNTOLD = frozenset(["column order"])


@dataclass(frozen=True)
class ObjectPlan:
    """`actions` in their order; `notes`: what does not come back, or not as it was."""

    actions: tuple[Action, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Looks:
    """The schema before the migration and after it; `renamed`: quoted names that it gave up for others: nothing of
    these was lost."""

    before: Fingerprint
    after: Fingerprint
    renamed: frozenset[str] = frozenset()

    def plan(self, now: Fingerprint) -> ObjectPlan:
        """From here back, as far as nobody else changed it since."""
        return _plan(self.before, self.after, now, [*self.destroyed()])

    def destroyed(self) -> Iterator[SchemaObject]:
        """What is not there any more, or not as it was."""
        for was in self.before.objects:
            left = self.after.by_key.get(was.key)
            if was.kind in UNTOLD or (left and left.sha256 == was.sha256):
                continue
            if not (was.name in self.renamed or was.of in self.renamed or _column_of(was) in self.renamed):
                yield was


def _plan(before: Fingerprint, after: Fingerprint, now: Fingerprint, lost: Sequence[SchemaObject]) -> ObjectPlan:
    actions: list[Action] = []
    notes: list[str] = []
    for was in lost:
        left, here = after.by_key.get(was.key), now.by_key.get(was.key)
        if here and here.sha256 == was.sha256:
            continue
        if here and (left is None or here.sha256 != left.sha256):
            notes.append(f"The {was.kind} {was.name} was made or changed since; it stays as it is.")
            continue
        if left and not here:
            notes.append(f"The {was.kind} {was.name} was dropped since by others; it is not made again.")
            continue
        if was.kind == "column" and ("table", was.of) not in now.by_key and ("table", was.of) in before.by_key:
            actions += (replace(action, key=was.key) for action in remarks_back(was))
            continue  # it comes with its table
        if _homeless(was, before, after, now):
            notes.append(f"The {was.kind} {was.name} belongs to {was.of}, which was dropped since by others.")
            continue
        made = change(was, here, before) if here else make(was, before)
        actions += (replace(action, key=was.key) for action in (*made, *remarks_back(was, here)))
        if was.kind == "sequence" and not here and " OWNED BY " not in was.sql:
            notes.append(f"The sequence {was.name} starts anew: which numbers it gave, nobody wrote down.")
    return ObjectPlan(tuple(sorted(actions, key=lambda action: action.phase)), tuple(dict.fromkeys(notes)))


def _column_of(item: SchemaObject) -> str:
    """A comment or a right of a column is named after it."""
    return re.sub(r"^(column|table|function|view) ", "", item.name)


def _homeless(item: SchemaObject, before: Fingerprint, after: Fingerprint, now: Fingerprint) -> bool:
    """Its table was there after the migration and is not any more."""
    if not item.of or item.kind in WHOLE:
        return False
    keys = [key for kind in WHOLE if (key := (kind, item.of)) in before.by_key]
    return any(key in after.by_key and key not in now.by_key for key in keys)
