"""What a run is compared with: made once by the step, read by the drill, the verdict and the incidents.

In: the last good run, as `baseline` chose it. Out: a value; it knows which of its segments today's run lacks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backups.archive.manifest import Manifest, Segment, Table
from backups.facts.model import RunFacts
from providers.storage.base import Store

if TYPE_CHECKING:  # a proof without the portal (the command, the benchmark) needs no Django
    from backups.models import Run


@dataclass(frozen=True)
class Comparison:
    """`run` is the baseline; without `manifest` and `store` no row is compared, and `not_compared` may say why.

    `accepted` are fingerprints of findings that a person explained. An empty one belongs to a policy's first run.
    """

    run: Run | None = None
    manifest: Manifest | None = None
    store: Store | None = None
    facts: RunFacts | None = None
    accepted: frozenset[str] = frozenset()
    not_compared: str = ""

    def table(self, qualified: str) -> Table | None:
        """The table as the baseline held it."""
        tables = self.manifest.tables if self.manifest else ()
        return next((table for table in tables if table.qualified == qualified), None)

    def raw_bytes_to_load(self, today: Manifest) -> int:
        """What the comparison adds to the drill's disk."""
        pairs = [(self.table(table.qualified), table) for table in today.audit_tables]
        both = [(earlier, table) for earlier, table in pairs if earlier and earlier.chains is not None]
        return sum(segment.raw_bytes for earlier, table in both for segment in missing_from(earlier, table))


NOTHING_BEFORE = Comparison()


def missing_from(earlier: Table, today: Table) -> list[Segment]:
    """The earlier segments whose bytes are not in today's run; all, when the columns or the format changed."""
    if earlier.columns != today.columns or earlier.formats != today.formats:
        return list(earlier.segments)
    known = {segment.raw_sha256 for segment in today.segments}
    return [segment for segment in earlier.segments if segment.raw_sha256 not in known]
