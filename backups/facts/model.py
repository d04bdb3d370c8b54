"""What is written down about a run's chains when it is proven: values only, as a document and back.

A decision hash covers the one before it, and the proof recomputes every hash; so the same hash at the same place in two
proven runs says that the hashed columns of every row up to there are the same. Imports neither Django nor providers.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from backups.facts.sequence_ranges import unpacked

FORMAT = "sampelit-ops-evidence/1"


@dataclass(frozen=True)
class Month:
    """One chain in one calendar month (UTC) of its decisions; `places`: packed sequence numbers with a conversion."""

    chain: str
    month: str
    rows: int
    first: int
    last: int
    head: str
    decisions_sha256: str
    conversions: int
    conversions_sha256: str
    places: str | None

    @property
    def converted(self) -> list[tuple[int, int]] | None:
        """The places as (first, last) pairs; None where they were too many to keep."""
        return None if self.places is None else unpacked(self.places)


@dataclass(frozen=True)
class End:
    """Where the run before ended: how many rows up to there now, and the hash there now ("" when it is gone)."""

    chain: str
    last: int
    rows: int
    head: str


@dataclass(frozen=True)
class Conversions:
    """The conversions that the run before had, as they are now."""

    chain: str
    month: str
    rows: int
    sha256: str


@dataclass(frozen=True)
class TableFacts:
    table: str
    months: tuple[Month, ...]
    ends: tuple[End, ...] = ()
    conversions: tuple[Conversions, ...] = ()

    @cached_property
    def by_chain(self) -> dict[str, dict[str, Month]]:
        chains: dict[str, dict[str, Month]] = {}
        for month in self.months:
            chains.setdefault(month.chain, {})[month.month] = month
        return chains

    def month(self, chain: str, month: str) -> Month | None:
        return self.by_chain.get(chain, {}).get(month)

    def head(self, chain: str) -> Month | None:
        """The month with the chain's end."""
        return max(self.by_chain.get(chain, {}).values(), key=lambda latest: latest.last, default=None)

    def about(self, months: frozenset[str]) -> TableFacts:
        """Only the chains that have decisions in these months, whole: a year of runs fits into a worker's memory."""
        chains = {fact.chain for fact in self.months if fact.month in months}
        return replace(
            self,
            months=tuple(fact for fact in self.months if fact.chain in chains),
            ends=tuple(end for end in self.ends if end.chain in chains),
            conversions=tuple(later for later in self.conversions if later.chain in chains and later.month in months),
        )

    @property
    def heads(self) -> set[tuple[str, str, int, str]]:
        """Table, chain, rows and head hash of every chain, as a manifest has them."""
        chains = self.by_chain
        return {(self.table, chain, self.rows(chain), head.head) for chain in chains if (head := self.head(chain))}

    def rows(self, chain: str) -> int:
        return sum(month.rows for month in self.by_chain.get(chain, {}).values())


@dataclass(frozen=True)
class RunFacts:
    run: str
    manifest_sha256: str
    environment: str
    policy: str
    taken_at: str
    tables: tuple[TableFacts, ...]
    previous: str = ""
    previous_sha256: str = ""
    format: str = FORMAT

    @property
    def at(self) -> datetime:
        moment = datetime.fromisoformat(self.taken_at)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def about(self, months: frozenset[str]) -> RunFacts:
        return replace(self, tables=tuple(table.about(months) for table in self.tables))

    def table(self, name: str) -> TableFacts | None:
        return next((table for table in self.tables if table.table == name), None)


def document_of(facts: RunFacts | None) -> dict[str, Any]:
    """Lists for tuples, so that a document read back from JSON is equal to the one written; {} for no facts."""
    return dict(listed(asdict(facts))) if facts else {}


def listed(value: Any) -> Any:
    """The same with lists for tuples."""
    if isinstance(value, dict):
        return {name: listed(item) for name, item in value.items()}
    return [listed(item) for item in value] if isinstance(value, list | tuple) else value


def from_document(body: dict[str, Any]) -> RunFacts:
    """Raises ValueError when it is no document of this format."""
    if body.get("format") != FORMAT:
        raise ValueError(f"its format is {body.get('format')!r}, not {FORMAT!r}")
    try:
        return RunFacts(**{**body, "tables": tuple(_table(item) for item in body["tables"])})
    except (KeyError, TypeError) as error:
        raise ValueError(f"a field is missing or of the wrong kind ({error})") from None


def _table(item: dict[str, Any]) -> TableFacts:
    return TableFacts(
        table=item["table"],
        months=tuple(Month(**values) for values in item["months"]),
        ends=tuple(End(**values) for values in item["ends"]),
        conversions=tuple(Conversions(**values) for values in item["conversions"]),
    )
