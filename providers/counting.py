"""How many of what, as people write it. Pure."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """`1 row`, `40,092 rows`, `2 entries`: the noun is given in the singular."""
    if count == 1:
        return f"1 {noun}"
    ending = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2] not in "aeiou" else f"{noun}s"
    return f"{count:,} {ending}"
