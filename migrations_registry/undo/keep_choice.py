"""How much of what a file destroys is kept before it: everything, what fits the rules' limit, or nothing.

In: what was asked for, the tables that the restore point would hold. Out: the choice, as it is stored, voted upon and
acted on: empty for everything, without being asked.
"""

from __future__ import annotations

from collections.abc import Sequence

from migrations_registry.analysis.cost import sized
from providers.errors import Refused
from providers.postgres.migrate.cascade_reach import ReachedTable

KEEP = "keep"
EVERYTHING, COPIED, LIMIT, NOTHING = "everything", "copied", "limit", "nothing"
ALL_BUT = "all but "
CHOICES = {
    EVERYTHING: "Everything, however large",
    COPIED: "Everything; a signed copy is enough where no drill can restore it",
    LIMIT: "What fits the limit of the rules, smallest tables first",
    NOTHING: "Nothing: it cannot be undone",
}


def chosen(asked: str, reached: Sequence[ReachedTable], limit: int) -> str:
    """Raises Refused where somebody has to say it, or said something else."""
    size = sum(table.size_bytes for table in reached)
    is_above = bool(limit) and size > limit
    if is_above and not asked:
        raise Refused(_question(reached, limit))
    if asked in ("", EVERYTHING, COPIED, NOTHING):
        return asked
    if asked != LIMIT and not asked.startswith(ALL_BUT):
        raise Refused(f"keep is {', '.join(CHOICES)} or left out, not {asked!r}. Nothing was requested.")
    return _all_but(reached, limit) if is_above else EVERYTHING


def _all_but(reached: Sequence[ReachedTable], limit: int) -> str:
    left, without = limit, []
    for table in sorted(reached, key=lambda each: (each.size_bytes, each.qualified)):
        left -= table.size_bytes
        if left < 0:
            without.append(table.qualified)
    return ALL_BUT + ", ".join(sorted(without))


def _question(reached: Sequence[ReachedTable], limit: int) -> str:
    without = given_up(_all_but(reached, limit))
    named = ", ".join(f"{each.qualified} ({sized(each.size_bytes)})" for each in reached if each.qualified in without)
    return (
        f"It destroys what lies in {sized(sum(table.size_bytes for table in reached))} of tables; the rules keep "
        f"{sized(limit)} before a migration without asking. Nothing was requested. Say how much is kept: "
        f"keep=everything; keep=limit, which leaves out {named}; or keep=nothing. What is not kept does not come back."
    )


def given_up(choice: str) -> frozenset[str]:
    """The tables that are not kept, where the others are."""
    return frozenset(choice.removeprefix(ALL_BUT).split(", ")) if choice.startswith(ALL_BUT) else frozenset()
