"""Can it be undone? Said before anybody votes: fully, data only, or no, each with the reason. Pure.

In: what a file declares (with what its rehearsal measured), the schema as it is, whether nobody can follow it. Out:
Forecast. What the file only makes is no loss, so it asks for no undo.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from migrations_registry.effects.model import (
    ALTERED,
    DELETED,
    DROPPED,
    REWRITTEN,
    SET_BACK,
    TRUNCATED,
    UPDATED,
    Allowance,
)
from migrations_registry.fingerprint import Fingerprint
from migrations_registry.undo.losses import BEYOND, key_of
from migrations_registry.undo.objects import UNTOLD
from migrations_registry.undo.statements import make
from providers.postgres.schema.names import parts

FULLY, DATA_ONLY, NO = "fully", "data only", "no"
TAKES = frozenset({DELETED, DROPPED, TRUNCATED, UPDATED, REWRITTEN})


@dataclass(frozen=True)
class Forecast:
    """`why`: the reasons, worst first; none where it is fully. `seen`: how far a rehearsal's undo showed it."""

    answer: str
    why: tuple[str, ...] = ()
    seen: str = ""

    def __str__(self) -> str:
        return f"{self.answer}{': ' if self.why else ''}{'; '.join(self.why)}" + f" ({self.seen})" * bool(self.seen)

    def measured(self, notes: Sequence[str], *, rows_lost: bool, not_compared: str) -> Forecast:
        """With what did not come back when a rehearsal undid it; nothing that was promised less for becomes more."""
        seen = f"a rehearsal undid it{', but ' if not_compared else ''}{not_compared}"
        said = [each.rstrip(".") for each in notes]
        if self.answer == NO or not notes:
            return Forecast(self.answer, tuple(dict.fromkeys([*self.why, *said])), seen)
        return Forecast(NO if rows_lost else DATA_ONLY, tuple(dict.fromkeys([*said, *self.why])), seen)


def forecast(
    declared: Iterable[Allowance],
    schema: Fingerprint | None,
    *,
    unfollowed: str = "",
    never: Sequence[str] = (),
) -> Forecast | None:
    """None where nothing that is there is lost. `never`: what else forbids it; `unfollowed`: that alone is a loss."""
    tables = _tables(schema) if schema else frozenset()
    found = [each for each in declared if each.verbs & TAKES or _is_beyond(each, tables)]
    if not found and not unfollowed:
        return None
    never = [*filter(None, [unfollowed]), *never, *(_never(each) for each in found if _is_beyond(each, tables))]
    if schema is None:
        return Forecast(NO, (*dict.fromkeys(never), "nobody looked at the schema before"))
    never += _unmade(found, schema)
    if never:
        return Forecast(NO, tuple(dict.fromkeys(never)))
    beside = tuple(dict.fromkeys(_without_key(found, schema)))
    return Forecast(DATA_ONLY, beside) if beside else Forecast(FULLY)


def _tables(schema: Fingerprint) -> frozenset[str]:
    return frozenset(parts(item.name)[-1] for item in schema.objects if item.kind == "table")


def _is_beyond(each: Allowance, tables: frozenset[str]) -> bool:
    """What no copy holds. A table's own sequences follow its rows; others' numbers are nowhere."""
    if each.kinds == {"sequence"}:
        return bool(each.verbs & {SET_BACK, DROPPED}) and (not each.name or each.name[-1] not in tables)
    return bool(each.kinds & BEYOND) and bool(each.verbs & {DROPPED, ALTERED})


def _never(each: Allowance) -> str:
    if each.kinds == {"sequence"}:
        return f"which numbers {each.name[-1] if each.name else 'a sequence'} gave, nobody wrote down"
    return f"a {sorted(each.kinds & BEYOND)[0]} lies outside of what is kept"


def _unmade(found: Iterable[Allowance], schema: Fingerprint) -> Iterator[str]:
    """Objects of which the catalogue's words make no statement."""
    for item in schema.objects:
        name = parts(item.name.partition("(")[0])
        if not any(DROPPED in each.verbs and each.name == name for each in found):
            continue
        if item.kind not in UNTOLD and not all(action.ways for action in make(item, schema)):
            yield f"the {item.kind} {item.name} cannot be made again"
        if item.kind == "sequence" and " OWNED BY " not in item.sql:
            yield f"which numbers {item.name} gave, nobody wrote down"


def _without_key(found: Iterable[Allowance], schema: Fingerprint) -> Iterator[str]:
    """Old values cannot be told apart from rows that were added since."""
    tables = {parts(item.name) for item in schema.objects if item.kind == "table"}
    for each in found:
        changes = UPDATED in each.verbs or (DROPPED in each.verbs and len(each.name) == 3)
        if changes and each.name[:2] in tables and not key_of(schema, each.name[:2]):
            yield f"{'.'.join(each.name[:2])} has no primary key, so its old values come back into a table beside it"
