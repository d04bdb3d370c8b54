"""What a file declares, as lines for the people who decide: what happens to which object, why, to how many rows.

In: declared effects, names that exist on the target, counts. Out: lines, what loses most first. What is only made is no
line: it concerns nobody yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from migrations_registry.effects.model import (
    ALTERED,
    DELETED,
    DROPPED,
    INSERTED,
    REWRITTEN,
    SET_BACK,
    TRUNCATED,
    UPDATED,
    Allowance,
    DeclaredEffects,
    Name,
)
from migrations_registry.effects.row_counts import RowCount

SAID = {
    TRUNCATED: "empties",
    DROPPED: "drops",
    DELETED: "deletes rows of",
    UPDATED: "updates rows of",
    REWRITTEN: "may write anew",
    SET_BACK: "sets back",
    INSERTED: "adds rows to",
}
# Of changes, those that decide who may do what, and what runs by itself.
TOLD = ("owner", "grants", "row security", "enabled state", "members", "security label", "extension")


@dataclass(frozen=True, slots=True)
class DeclaredLine:
    """`because`: "line 3" or "line 3, by trigger audit of public.leads". `rows`: in words, empty where none count."""

    verb: str
    what: str
    because: str
    rows: str = ""

    @property
    def loses(self) -> bool:
        return self.verb in (DELETED, TRUNCATED, DROPPED)

    def __str__(self) -> str:
        return f"{self.what}{f' ({self.rows})' if self.rows else ''}: {self.because}"


def lines(
    declares: DeclaredEffects, relations: Mapping[Name, int] | None, counts: Iterable[RowCount] = ()
) -> list[DeclaredLine]:
    """Each once. `relations`: those of the target with about how many rows; None where nobody knows them."""
    known = {(count.verb, tuple(count.table.split("."))): count.rows for count in counts}
    order = [*SAID, ALTERED]
    found = dict.fromkeys(
        line
        for each in declares.allowances
        if _is_meant(each, relations)
        for line in _lines(each, known, relations or {})
    )
    return sorted(found, key=lambda line: (order.index(line.verb), line.what))


def taken_along(declares: DeclaredEffects) -> tuple[str, ...]:
    """Tables whose values the target's own triggers, rules and views change or take because of the file."""
    takes = {DELETED, UPDATED, TRUNCATED, DROPPED, REWRITTEN}
    names = {
        ".".join(each.name[:2])
        for each in declares.allowances
        if ", by " in each.because and each.verbs & takes and len(each.name) > 1 and _is_relation(each)
    }
    return tuple(sorted(names))


def _is_meant(each: Allowance, relations: Mapping[Name, int] | None) -> bool:
    """Of the names that a bare one may mean, the one that is there."""
    is_there = relations is not None and each.name[:2] in relations
    if relations is None or len(each.name) < 2 or is_there or not _is_relation(each):
        return is_there or each.name[:1] != ("extensions",)
    return False


def _is_relation(each: Allowance) -> bool:
    return not each.kinds or "table" in each.kinds or len(each.name) == 3


def _lines(each: Allowance, known: Mapping[tuple[str, Name], int], held: Mapping[Name, int]) -> Iterator[DeclaredLine]:
    for verb in each.verbs & SAID.keys() - set(_unsaid(each)):
        counted = known.get((verb, each.name)) if each.statement >= 0 else None
        rows = _rows(counted, held.get(each.name)) if verb in (DELETED, UPDATED, TRUNCATED) else ""
        yield DeclaredLine(verb, f"{SAID[verb]} {_name(each)}", each.because, rows)
    for aspect in sorted(each.aspects & set(TOLD)) if ALTERED in each.verbs else ():
        yield DeclaredLine(ALTERED, f"changes {aspect} of {_name(each)}", each.because)


def _unsaid(each: Allowance) -> Iterator[str]:
    """What another line says: parts go with their column, a new file with TRUNCATE, sequences with both."""
    if each.parts and not each.cascades and len(each.name) == 2:
        yield DROPPED
    if TRUNCATED in each.verbs or (each.parts and each.kinds == {"sequence"}):
        yield REWRITTEN
    if REWRITTEN in each.verbs and each.parts:
        yield SET_BACK


def _name(each: Allowance) -> str:
    return ".".join(each.name) or _any(each)


def _any(each: Allowance) -> str:
    return f"some {' or '.join(sorted(each.kinds)[:2])}" if each.kinds else "anything"


def _rows(counted: int | None, held: int | None) -> str:
    """How many it touches, if that was counted, and how many there are."""
    of = f"of about {held:,}" if held is not None else ""
    return " ".join(part for part in ("" if counted is None else f"{counted:,}", of) if part)
