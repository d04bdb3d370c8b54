"""What several files do to each other when they are applied one after the other. Pure.

In: what each of them locked and dropped, and its text. Out: sentences.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from migrations_registry.analysis.model import SH, STRENGTH
from migrations_registry.effects.model import DROPPED, Effect

Relation = tuple[str, str]


@dataclass(frozen=True)
class Trace:
    """One file: its text, its strongest lock by relation, what it did."""

    name: str
    text: str
    locks: dict[Relation, str]
    effects: tuple[Effect, ...]


def hazards(traces: Sequence[Trace]) -> list[str]:
    """Of each pair, in the order in which they are applied."""
    return [sentence for first, later in combinations(traces, 2) for sentence in _between(first, later)]


def _between(first: Trace, later: Trace) -> Iterator[str]:
    both = [name for name in first.locks if _keeps_away(first, name) and _keeps_away(later, name)]
    for name in sorted(both):
        yield (
            f"{first.name} and {later.name} both keep others away from {'.'.join(name)}: they wait twice. Apply "
            "them in one quiet hour, or write one file."
        )
    for effect in first.effects:
        if effect.verb == DROPPED and "column" in effect.kind and _names(later.text, *effect.name[1:3]):
            yield (
                f"{later.name} names {'.'.join(effect.name[1:])}, which {first.name} drops: it may fail, or what it "
                "makes may fail when it is called."
            )


def _keeps_away(trace: Trace, name: Relation) -> bool:
    return STRENGTH.get(trace.locks.get(name, ""), -1) >= STRENGTH[SH]


def _names(text: str, table: str, column: str) -> bool:
    return all(re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE) for word in (table, column))
