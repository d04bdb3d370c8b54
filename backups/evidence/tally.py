"""What is found about one chain, run by run, before it becomes a verdict."""

from __future__ import annotations

from dataclasses import dataclass, field

from backups.evidence.places import Pairs
from backups.evidence.verdicts import Change, Conversions, Seen


@dataclass
class Tally:
    """`known` are the conversions seen so far, by month."""

    changes: list[Change] = field(default_factory=list)
    conversions: list[Conversions] = field(default_factory=list)
    known: dict[str, Pairs] = field(default_factory=dict)
    late: int = 0
    unclear: list[str] = field(default_factory=list)

    def change(self, kind: str, rows: int, before: Seen, after: Seen, detail: str) -> None:
        self.changes.append(
            Change(kind, rows, before.run, after.run, before.facts.taken_at, after.facts.taken_at, detail)
        )
