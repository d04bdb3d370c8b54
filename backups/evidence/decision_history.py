"""The history of one decision: what every kept run holds of it, read back from the runs' own segments.

In: runs in order, a chain and a sequence number, identities. Out: one Sighting a run. Neither visitor nor variant
leaves this module: only digests, hashes and the conversion. Segments that two runs share are opened once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from psycopg import sql

from backups.archive.drill_database import Server, drill_database
from backups.archive.loader import Loader
from backups.archive.manifest import Manifest, Segment, Table
from backups.progress import Watch
from providers.errors import ProviderError
from providers.postgres.audit_trail.tamper import stage_earlier
from providers.postgres.connection import Connection, statements
from providers.storage.base import Store

SCHEMA = "sampelit_ops_trace"


@dataclass(frozen=True)
class Decision:
    """`recomputed` is whether the row's content gives its decision_hash."""

    decision_hash: str
    recomputed: bool
    unchanging_sha256: str
    converted: bool
    conversion_at: str
    conversion_value: str


@dataclass(frozen=True)
class Sighting:
    """One run; `decision` is None where the run has no such row, `problem` says why it could not be read."""

    run: str
    taken_at: str
    status: str
    decision: Decision | None = None
    problem: str = ""


@dataclass(frozen=True)
class ReadableRun:
    manifest: Manifest
    store: Store
    status: str
    purged: bool = False


class Tracer:
    """Looks for one decision in one run after another, in one throwaway server."""

    def __init__(
        self, connection: Connection, chain: str, sequence: int, identities: Sequence[str], watch: Watch
    ) -> None:
        self.connection, self.chain, self.sequence = connection, chain, sequence
        self.identities, self.watch = identities, watch
        self.known: dict[str, Decision | None] = {}

    def look(self, run: ReadableRun) -> Sighting:
        """What one run holds. A run that cannot be read is told, the others are still read."""
        seen = Sighting(run.manifest.run, run.manifest.source.taken_at, run.status)
        table = next((held for held in run.manifest.tables if held.chains is not None), None)
        if table is None:
            return replace(seen, problem="It does not hold the audit trail.")
        head = next((chain for chain in table.chains or () if chain.chain == self.chain), None)
        if head is None or not head.first <= self.sequence <= head.last:
            return seen
        if run.purged:
            return replace(seen, problem="Its data was deleted by retention; its facts are in the evidence report.")
        try:
            return replace(seen, decision=self._find(run, table))
        except ProviderError as error:
            return replace(seen, problem=error.message)

    def _find(self, run: ReadableRun, table: Table) -> Decision | None:
        for segment in table.segments:
            self.watch.check()
            if segment.raw_sha256 not in self.known:
                self.known[segment.raw_sha256] = self._open(run, table, segment)
            if (decision := self.known[segment.raw_sha256]) is not None:
                return decision
        return None

    def _open(self, run: ReadableRun, table: Table, segment: Segment) -> Decision | None:
        place = (SCHEMA, table.name)
        stage_earlier(self.connection, place, [(column.name, column.type) for column in table.columns])
        loader = Loader(run.manifest, run.store, self.connection, self.identities, Watch(check=self.watch.check))
        loader.load(replace(table, schema=SCHEMA, segments=(segment,)))
        if loader.problems:
            raise ProviderError(loader.problems[0])
        query = sql.SQL(statements("decision")).format(table=sql.Identifier(*place))
        row = self.connection.execute(query, [self.chain, self.sequence]).fetchone()
        return _decision(self.sequence, *row) if row else None


def _decision(
    sequence: int,
    stored: str,
    previous: str | None,
    digest: str,
    observed: str | None,
    at: str | None,
    value: str | None,
    visitor: str,
    variant: str | None,
    segment: str | None,
    decided: str,
) -> Decision:
    preimage = {
        "visitor_id": visitor,
        "variant_id": variant,
        "segment_key": segment,
        "previous_hash": previous or "",
        "timestamp": datetime.fromisoformat(decided).astimezone(UTC).isoformat(),
        "sequence_number": sequence,
    }
    computed = hashlib.sha256(json.dumps(preimage, sort_keys=True).encode()).hexdigest()
    converted = observed == "true" or at is not None or value is not None
    return Decision(stored, computed == stored, digest, converted, at or "", value or "")


def trace(
    runs: Sequence[ReadableRun],
    chain: str,
    sequence: int,
    identities: Sequence[str],
    watch: Watch,
    server: Server | None = None,
) -> list[Sighting]:
    """Every run's sighting, in the given order. Raises ProviderError when no server could be started."""
    with drill_database(server=server, schemas=[SCHEMA]) as drill:
        tracer = Tracer(drill.connection, chain, sequence, identities, watch)
        sightings = []
        for number, run in enumerate(runs, 1):
            sightings.append(tracer.look(run))
            watch.progress(number, len(runs), "runs", run.manifest.run)
        return sightings


def with_differences(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each run's sighting with what changed since the one before it."""
    with_differences, before = [], None
    for sighting in history:
        with_differences.append({**sighting, "what": difference(before, sighting)})
        before = sighting if not sighting["problem"] else before
    return with_differences


def difference(before: dict[str, Any] | None, now: dict[str, Any]) -> tuple[str, str]:
    """A word and its tone."""
    if now["problem"]:
        return now["problem"], "idle"
    was, decision = (before or {}).get("decision"), now["decision"]
    if decision is None:
        return ("removed", "bad") if was else ("not there yet", "idle")
    if not decision["recomputed"]:
        return "its content does not give its hash", "bad"
    if was is None:
        return "first seen", "ok"
    if was["unchanging_sha256"] != decision["unchanging_sha256"]:
        return "edited", "bad"
    values = ("converted", "conversion_at", "conversion_value")
    if [was[name] for name in values] == [decision[name] for name in values]:
        return "unchanged", "ok"
    return ("conversion changed", "bad") if was["converted"] else ("conversion set", "ok")
