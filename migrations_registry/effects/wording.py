"""Effects in words: "deleted 20,000 rows of public.assignments". In: effects. Out: phrases, and the sentence."""

from __future__ import annotations

from collections.abc import Iterable

from migrations_registry.effects.model import ALTERED, ENDS, MOVED, REWRITTEN, ROWS, SET_BACK, TRUNCATED, Effect, Name

SHOWN = 5
_VERBS = {
    TRUNCATED: "emptied",
    REWRITTEN: "rewrote",
    MOVED: "moved the sequence",
    SET_BACK: "set back the sequence",
}


def phrase(effect: Effect) -> str:
    """One effect."""
    name = ".".join(effect.name)
    if effect.verb in ROWS:
        rows = "1 row" if effect.rows == 1 else f"{effect.rows:,} rows"
        return f"{effect.verb} {rows} {'into' if effect.verb == 'inserted' else 'of'} {name}{_declared(effect)}"
    if effect.verb in _VERBS:
        return f"{_VERBS[effect.verb]} {name}"
    what = f"{effect.kind} {name}".strip()
    if effect.kind == "trigger" and effect.name[-1].startswith("RI_ConstraintTrigger_"):
        what = f"a foreign key's own trigger on {'.'.join(effect.name[:-1])}"
    if effect.verb != ALTERED:
        return f"{effect.verb} {what}"
    if ENDS in effect.signs:
        return f"tied {what} to something temporary, with which it is dropped when the session ends"
    renamed = f" (now {'.'.join(effect.renamed)})" if effect.renamed else ""
    return f"changed {' and '.join(sorted(effect.aspects)) or 'something'} of {what}{renamed}"


def _declared(effect: Effect) -> str:
    if effect.expected is None:
        return ""
    return f", {effect.expected:,} {'was' if effect.expected == 1 else 'were'} declared"


def phrases(effects: Iterable[Effect]) -> list[str]:
    """One each, in the order of `by_weight`."""
    return [phrase(effect) for effect in by_weight(effects)]


def by_weight(effects: Iterable[Effect]) -> list[Effect]:
    """What loses most comes first."""
    return sorted(effects, key=_weight)


def _weight(effect: Effect) -> tuple[int, int, Name]:
    order = ("truncated", "dropped", "deleted", "updated", "rewritten", "inserted", "altered", "created")
    return (order.index(effect.verb) if effect.verb in order else len(order), -effect.rows, effect.name)


def told(effects: Iterable[Effect], *, rolled_back: bool = True) -> str:
    """The sentence that ends the operation: what was not approved, what became of it, what to do next."""
    found = list(effects)
    said = phrases(found)
    more = f", and {len(said) - SHOWN} more" if len(said) > SHOWN else ""
    stays = "; a sequence keeps its new value" if any(each.verb in (MOVED, SET_BACK) for each in found) else ""
    what = f"It did more than was approved: {', '.join(said[:SHOWN])}{more}."
    if not rolled_back:
        return (
            f"{what} It ran outside of a transaction, so nothing was taken back; somebody else may have done it "
            "meanwhile. Look at the database now."
        )
    return (
        f"{what} The transaction was rolled back, nothing was changed{stays}. Write what it is meant to do into the "
        "file, or take out what does more (a trigger, a default, a function that is called)."
    )
