"""How many of what, as people write it. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def counted(count: int, noun: str) -> str:
    """`1 row`, `40,092 rows`, `2 entries`: the noun is given in the singular."""
    if count == 1:
        return f"1 {noun}"
    ending = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2] not in "aeiou" else f"{noun}s"
    return f"{count:,} {ending}"


def first_of(texts: Sequence[str], most: int) -> list[str]:
    """The first `most` of them, and how many more there are: a list that was cut says so."""
    more = len(texts) - most
    return [*texts[:most], *([f"And {more:,} more, not listed here."] if more > 0 else [])]
