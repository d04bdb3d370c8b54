"""What a copier is told: the setting of its run, and ranges of tables. Values only."""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from typing import Any

from providers.postgres import Position, Range


@dataclass(frozen=True)
class Setting:
    """What all jobs of one run share. Without `evidence` no digests are taken (only for benchmarks)."""

    snapshot: str
    store_url: str
    recipients: tuple[str, ...] = ()
    evidence: bool = True


@dataclass(frozen=True)
class Job:
    """One range of one table; `columns` are (name, hashed as), `directory` is where its segments go. `pages` and
    `size_bytes` are the table's. `unplanned`: no query on it can be planned, so COPY reads all of it."""

    schema: str
    name: str
    columns: tuple[tuple[str, str], ...]
    format: str
    binary_io: bool
    directory: str
    start: tuple[int, int]
    end: tuple[int, int] | None
    pages: int
    size_bytes: int = 0
    unplanned: bool = False

    @property
    def range(self) -> Range:
        return Range(Position(*self.start), Position(*self.end) if self.end else None)

    def halves(self) -> list[Job]:
        """Two jobs for one that was too large; none when it can hold a single row only."""
        return [
            replace(self, start=astuple(half.start), end=astuple(half.end) if half.end else None)
            for half in self.range.halves(self.pages) or ()
        ]


def job_from(values: dict[str, Any]) -> Job:
    columns = tuple((name, hashed_as) for name, hashed_as in values["columns"])
    end = tuple(values["end"]) if values["end"] else None
    return Job(**{**values, "columns": columns, "start": tuple(values["start"]), "end": end})
