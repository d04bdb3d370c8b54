"""What is true in a random life by what happened in it, in the words of the moves: nothing of the judge is asked."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

ASKERS, VOTERS, ADMINS = ("olga", "otto"), ("ada", "ben", "carl", "nina"), ("amir", "anna")
RIGHTS = {**dict.fromkeys(ASKERS, ("ask", "glass")), **dict.fromkeys(VOTERS, ("vote",))}
RIGHTS |= dict.fromkeys(ADMINS, ("rules", "places", "people", "glass"))
USUAL_ROWS = 100_000


@dataclass
class Model:
    """What is true by what happened, in words of the moves alone."""

    active: set[str] = field(default_factory=lambda: set(RIGHTS))
    rights: set[tuple[str, str]] = field(default_factory=lambda: {(n, r) for n, held in RIGHTS.items() for r in held})
    counting: set[str] = field(default_factory=lambda: set(VOTERS[:3]))
    needs: dict[str, int] = field(default_factory=lambda: {"production": 2, "staging": 1})
    said: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    ways: dict[str, str] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    is_one_database: bool = False
    glass: dict[str, str] = field(default_factory=dict)
    newest: dict[str, str] = field(default_factory=dict)
    texts: dict[str, bytes] = field(default_factory=dict)
    rows: int = USUAL_ROWS

    def may(self, name: str, right: str) -> bool:
        return name in self.active and (name, right) in self.rights

    def voters(self, pk: str, asker: str) -> set[str]:
        """Who stands behind it now."""
        return {name for name in self.said[pk] if name != asker and name in self.counting and self.may(name, "vote")}

    def need(self, *slugs: str) -> int:
        """The votes of the strictest of these, or of all that are one database with them."""
        return max(votes for slug, votes in self.needs.items() if self.is_one_database or slug in slugs)
