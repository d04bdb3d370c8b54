"""Which effects nobody declared. In: what happened, what was declared. Out: what is left over, aspect by aspect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from migrations_registry.effects.model import (
    DELETED,
    DROPPED,
    ENDS,
    INSERTED,
    UPDATED,
    Allowance,
    DeclaredEffects,
    Effect,
    Name,
)

ANYTHING = DeclaredEffects((Allowance(frozenset({UPDATED})),))
# Where a dropped object hangs on others: everything that its existence depended on, as (kind, *name).
Dependencies = Mapping[tuple[str, Name], frozenset[Name]]


def undeclared(
    happened: Iterable[Effect], declared: DeclaredEffects, dependencies: Dependencies | None = None
) -> list[Effect]:
    """The effects, or the aspects of them, that no allowance covers."""
    effects = list(happened)
    left = [rest for effect in effects if (rest := _rest(effect, declared)) is not None]
    left = [effect for effect in left if not is_carried(effect, effects, declared)]
    return [effect for effect in left if not _went_along(effect, declared, dependencies or {})]


def wants_dependencies(left: Iterable[Effect], declared: DeclaredEffects) -> list[Effect]:
    """The dropped ones of which it must be asked what they depended on, because something was dropped with CASCADE."""
    cascades = any(allowance.cascades for allowance in declared.allowances)
    return [effect for effect in left if cascades and effect.verb == DROPPED]


def _rest(effect: Effect, declared: DeclaredEffects) -> Effect | None:
    if ENDS in effect.signs:
        return effect  # no text says that it is for this session only
    open_aspects = set(effect.aspects)
    for allowance in declared.allowances:
        if allowance.concerns(effect):
            if not effect.aspects or not allowance.aspects:
                return None
            open_aspects -= allowance.aspects
    if effect.aspects and not open_aspects:
        return None
    return replace(effect, aspects=frozenset(open_aspects))


def is_carried(effect: Effect, effects: list[Effect], declared: DeclaredEffects) -> bool:
    """An UPDATE that moves a row to another partition deletes it in one and inserts it in the other."""
    if effect.verb not in (DELETED, INSERTED):
        return False
    roots = {owner for owner in effect.owners if owner[1:] != effect.name}
    moved = [each for each in effects if each.verb in (DELETED, INSERTED) and each.owners & roots]
    updates = any(allowance.concerns(replace(effect, verb=UPDATED)) for allowance in declared.allowances)
    deleted = sum(each.rows for each in moved if each.verb == DELETED)
    return bool(roots) and updates and deleted <= sum(each.rows for each in moved if each.verb == INSERTED)


def _went_along(effect: Effect, declared: DeclaredEffects, dependencies: Dependencies) -> bool:
    """Dropped because something that it needed was dropped with CASCADE."""
    above = dependencies.get((effect.kind, effect.name), frozenset())
    return effect.verb == DROPPED and any(
        allowance.cascades and any(owner[1:] == allowance.name for owner in above) for allowance in declared.allowances
    )
