"""The jobs of an export: one table after the other, each cut into ranges as is learnt from what was stored.

In: the tables with their numbers, a policy. Out: Jobs, taken when a connection is free; segments by table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from backups.archive.manifest import Segment
from backups.export.copy_job import Job
from backups.export.ctid_ranges import Cutter
from backups.policy_spec import PolicySpec
from backups.progress import Tally, Watch
from providers import postgres
from providers.postgres.copy.unplanned import FORMAT

TABLE_BYTES = 64 << 10  # copied in the time that a table takes by itself


@dataclass
class TableJobs:
    """Tables share the connections: while one's last range is copied, the next one's is begun."""

    tables: Sequence[tuple[int, postgres.Table]]
    spec: PolicySpec
    prefix: str
    watch: Watch
    segments: dict[str, list[Segment]] = field(default_factory=dict)
    begun: dict[str, tuple[postgres.Table, Cutter]] = field(default_factory=dict)
    tally: Tally = field(init=False)

    def __post_init__(self) -> None:
        self.tally = Tally(sum(table.size_bytes for _, table in self.tables), len(self.tables))

    @property
    def weight(self) -> int:
        """In bytes: what tells whether a second connection is worth its start."""
        return self.tally.total + TABLE_BYTES * len(self.tables)

    def jobs(self, members: int) -> Iterator[Job]:
        for number, table in self.tables:
            self.tally.begin(table.qualified, table.size_bytes, self.watch)
            cutter = Cutter(table.pages, table.size_bytes, members)
            fmt = FORMAT if table.unplanned else self.spec.format_of(table.name, table.binary_io)
            directory = f"{self.prefix}{number:03d}-{_slug(table.name)}/"
            self.begun[directory] = table, cutter
            columns = tuple((column.name, column.hashed_as) for column in table.stored_columns)
            fixed = (table.schema, table.name, columns, fmt, table.binary_io, directory)
            parts = [((0, 0), None)] if table.unplanned else cutter
            yield from (Job(*fixed, *part, table.pages, table.size_bytes, bool(table.unplanned)) for part in parts)

    def done(self, job: Job, segments: Sequence[Segment]) -> None:
        table, cutter = self.begun[job.directory]
        self.segments.setdefault(table.qualified, []).extend(segments)
        pages = (job.end[0] if job.end else table.pages) - job.start[0]
        cutter.learn(pages, sum(s.stored_bytes for s in segments))
        share = pages / table.pages if table.pages else 1
        rows = sum(segment.rows for segment in segments)
        self.tally.add(table.qualified, table.size_bytes * share, rows, self.watch)


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9_]+", "-", name.lower()).strip("-")[:40] or "table"
