"""Loading a run into a database: the schema, the segments, the keys. Shared by the restore drill and by restores.

In: a manifest, a store, a connection that may write. Out: rows in tables, and a list of what did not match.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import cached_property

import psycopg

from backups.archive.manifest import Manifest, Segment, Statement, Table
from backups.archive.segment_codec import Damaged, unpack
from backups.progress import Tally, Watch
from providers import postgres
from providers.errors import ProviderError
from providers.postgres.connection import Connection
from providers.postgres.error_facts import facts_of
from providers.storage.base import Missing, Store, StoreError

EXISTING = {
    "schema": "SELECT FROM pg_namespace WHERE nspname = %s",
    "extension": "SELECT FROM pg_extension WHERE extname = %s",
}
MAY_NOT = " Let the target's role create there (GRANT CREATE ON SCHEMA …), or name the owner in the variable."


@dataclass
class Loader:
    """Loads and compares; `problems` grows, nothing is raised for a difference, so that one report names them all.

    `beat_seconds` above 0: the session has an idle limit, so it is spoken to while an object is on its way.
    `denied`: what to say of a thing that the session's role may not make.
    """

    manifest: Manifest
    store: Store
    connection: Connection
    identities: Sequence[str]
    watch: Watch
    beat_seconds: float = 0
    denied: str = MAY_NOT
    problems: list[str] = field(default_factory=list)
    rows: int = 0
    bytes: int = 0
    again: list[Statement] = field(default_factory=list)
    tally: Tally = field(init=False)

    def __post_init__(self) -> None:
        self.tally = Tally(self.manifest.raw_bytes, len(self.manifest.tables))

    @cached_property
    def known(self) -> frozenset[str]:
        """Names that an error may repeat: the run's own."""
        tables = {name for table in self.manifest.tables for name in (table.name, *(c.name for c in table.columns))}
        return frozenset(tables | {statement.name for statement in self.manifest.statements})

    def build(self, phase: str, everything: bool = False) -> list[str]:
        """Run the phase's statements; needed ones that fail are problems, others are answered as notes.

        What fails before the rows is tried again after them: a function may use a table or another function.
        """
        notes: list[str] = []
        self.connection.execute("SET check_function_bodies = off")
        again, self.again = self.again, []
        statements = [s for s in self.manifest.statements if s.phase == phase and (s.needed or everything)]
        for item in [*again, *statements]:
            self.watch.check()
            problem = self._run(item)
            if problem and item.needed:
                self.problems.append(problem)
            elif problem and phase == "before":
                self.again.append(item)
            elif problem:
                notes.append(problem)
        return notes

    def _run(self, item: Statement) -> str:
        if (there := EXISTING.get(item.kind)) and self.connection.execute(there, [item.name]).rowcount:
            return ""
        try:
            with self.connection.transaction():
                self.connection.execute(item.sql.encode())
        except psycopg.Error as error:
            advice = self.denied if isinstance(error, psycopg.errors.InsufficientPrivilege) else ""
            facts = facts_of(error, self.known)
            return f"The {item.kind.replace('_', ' ')} {item.name} could not be rebuilt: {facts}.{advice}"
        return ""

    def load(self, table: Table) -> dict[str, Segment]:
        """Load every segment of a table, each in a transaction of its own; answers which one loaded which."""
        loads: dict[str, Segment] = {}
        self.tally.begin(table.qualified, sum(segment.raw_bytes for segment in table.segments), self.watch)
        for segment in table.segments:
            self.watch.check()
            loader = self._load(table, segment)
            if loader:
                loads[loader] = segment
            self.rows += segment.rows
            self.bytes += segment.raw_bytes
            self.tally.add(table.qualified, segment.raw_bytes, segment.rows, self.watch)
        return loads

    def _load(self, table: Table, segment: Segment) -> str:
        try:
            data = fetched(self, segment.key)
            names = [column.name for column in table.columns]
            with self.connection.transaction():
                blocks = unpack(data, segment, self.identities)
                rows = postgres.copy_in(self.connection, (table.schema, table.name), names, table.format, blocks)
                transaction = self.connection.execute("SELECT pg_current_xact_id_if_assigned()::xid::text").fetchone()
        except Missing:
            self.problems.append(f"{segment.key} is missing from the store.")
        except Damaged as error:
            self.problems.append(f"{error}.")
        except StoreError:
            raise  # an outage says nothing about the copy: the proof did not happen, and is tried again
        except ProviderError as error:
            self.problems.append(error.message)
        else:
            if rows != segment.rows:
                self.problems.append(f"{segment.key} gave {rows} rows, the manifest says {segment.rows}.")
            return str(transaction[0]) if transaction and transaction[0] else ""
        return ""

    def compare(self, table: Table, loads: dict[str, Segment]) -> None:
        """Counts and digests per segment and for the table, as they now are in the database."""
        columns = [postgres.Column(c.name, c.type, hashed_as=c.hashed_as) for c in table.columns]
        try:
            evidence = postgres.evidence_by_load(self.connection, (table.schema, table.name), columns)
        except psycopg.Error as error:
            if self.connection.closed:
                raise
            self.problems.append(f"{table.qualified} could not be compared: {facts_of(error, self.known)}.")
            return
        for loader, segment in loads.items():
            self._compare(segment.key, segment, evidence.pop(loader, postgres.Evidence(0, "0")))
        for extra in evidence.values():
            self.problems.append(f"{table.qualified} holds {extra.rows} rows that no segment brought or that changed.")

    def compare_whole(self, table: Table) -> None:
        """Count and digest of the whole table, for loads that share one transaction."""
        columns = [postgres.Column(c.name, c.type, hashed_as=c.hashed_as) for c in table.columns]
        evidence = postgres.evidence(self.connection, (table.schema, table.name), columns)
        if (evidence.rows, evidence.digest) != (table.rows, table.digest):
            self.problems.append(f"{table.qualified}: what arrived differs from the snapshot ({evidence.rows} rows).")

    def keep_chain(self, chain: str) -> None:
        """Leave only one experiment's chain in the audit table."""
        for table in (table for table in self.manifest.tables if table.chains is not None):
            self.rows -= postgres.keep_chain(self.connection, (table.schema, table.name), chain)

    def _compare(self, name: str, segment: Segment, evidence: postgres.Evidence) -> None:
        if evidence.rows != segment.rows:
            self.problems.append(f"{name}: {evidence.rows} rows arrived, the snapshot had {segment.rows}.")
        elif evidence.digest != segment.digest:
            self.problems.append(f"{name}: a row differs from the snapshot (row digest {evidence.digest}).")


def fetched(loader: Loader, key: str) -> bytes:
    """One object; however slowly it comes, only a worker that stands still is silent on the session."""
    if not loader.beat_seconds:
        return loader.store.get(key)
    with ThreadPoolExecutor(1) as reader:
        reading = reader.submit(loader.store.get, key)
        while wait([reading], loader.beat_seconds).not_done:
            loader.watch.check()
            loader.connection.execute("SELECT 1")
        return reading.result()
