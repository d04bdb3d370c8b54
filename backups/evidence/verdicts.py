"""What is said about a chain: values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from backups.facts.model import RunFacts
from backups.facts.sequence_ranges import Pairs


@dataclass(frozen=True)
class Seen:
    """A run whose rows were restored and compared; `proven` is False where something was doubted."""

    facts: RunFacts
    proven: bool = True

    @property
    def run(self) -> str:
        return self.facts.run

    @property
    def at(self) -> datetime:
        return self.facts.at


@dataclass(frozen=True)
class Change:
    """Something that must never happen; between which two runs it came."""

    kind: str
    rows: int
    before: str
    after: str
    before_at: str
    after_at: str
    detail: str


@dataclass(frozen=True)
class Conversions:
    """Conversions that were set for the first time: legal, once for each decision."""

    month: str
    count: int
    sequences: tuple[tuple[int, int], ...] | None
    before_at: str
    after_at: str


@dataclass(frozen=True)
class ChainVerdict:
    """`word` is intact, altered or unknown. `decisions` are those of the period in the newest proven run."""

    table: str
    chain: str
    word: str
    decisions: int
    conversions: int
    runs: int
    first_run: str
    first_at: str
    last_run: str
    last_at: str
    decisions_sha256: tuple[tuple[str, str], ...]
    changes: tuple[Change, ...]
    set_conversions: tuple[Conversions, ...]
    late_rows: int
    not_compared: tuple[str, ...]

    @property
    def removed(self) -> int:
        return sum(change.rows for change in self.changes if change.kind == "removed")


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
