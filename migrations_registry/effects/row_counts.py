"""How many rows the statements themselves touched, held against the effects and against what people were shown.

In: effects, allowances, rows by statement (PostgreSQL's command tags), counts from before. Out: effects with more rows
than that. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from migrations_registry.effects.model import DELETED, INSERTED, ROWS, UPDATED, DeclaredEffects, Effect

Tags = Mapping[int, int]
MARGIN, AT_LEAST = 2, 100


@dataclass(frozen=True, slots=True)
class RowCount:
    """So many rows of `table` met the condition of the statement at this place of the file when people were asked."""

    statement: int
    verb: str
    table: str
    rows: int


def above_shown(tags: Tags, shown: Iterable[RowCount]) -> list[Effect]:
    """Statements that touched many more rows than people were shown: a table may grow between vote and application,
    but not to more than twice as many and a hundred more.
    """
    return [
        Effect(count.verb, "table", tuple(count.table.split(".")), rows=tags[count.statement], expected=count.rows)
        for count in shown
        if tags.get(count.statement, 0) > most_rows(count.rows)
    ]


def most_rows(shown: int) -> int:
    """How many may be touched where people were shown so many."""
    return MARGIN * shown + AT_LEAST


def hidden_rows(happened: Iterable[Effect], declared: DeclaredEffects, tags: Tags) -> list[Effect]:
    """Rows of a declared table and verb that were not the declared statements' own: somebody else touched them too."""
    groups: dict[tuple[str, frozenset[int]], list[Effect]] = {}
    for effect in happened:
        meant = {each.statement for each in declared.allowances if effect.verb in ROWS and each.concerns(effect)}
        if meant and meant <= tags.keys() and not _may_have_moved(effect, declared):
            groups.setdefault((effect.verb, frozenset(meant)), []).append(effect)
    return [
        replace(max(effects, key=_rows), expected=allowed)
        for (_, meant), effects in groups.items()
        if sum(map(_rows, effects)) > (allowed := sum(tags[at] for at in meant))
    ]


def _may_have_moved(effect: Effect, declared: DeclaredEffects) -> bool:
    """To or from another partition, by an UPDATE: it counts there as rows inserted and deleted."""
    is_part = any(owner[1:] != effect.name for owner in effect.owners)
    moves = is_part and effect.verb in (INSERTED, DELETED)
    return moves and any(each.concerns(replace(effect, verb=UPDATED)) for each in declared.allowances)


def _rows(effect: Effect) -> int:
    return effect.rows
