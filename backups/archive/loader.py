"""Loading a run's rows into a database: the segments, and what they are compared with. Shared by drill and restores.

In: a manifest, a store, a connection that may write. Out: rows in tables, and a list of what did not match.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial

import psycopg

from backups.archive.builder import Builder
from backups.archive.manifest import Segment, Statement, Table
from backups.archive.reader import read_again
from backups.archive.segment_codec import LOOK_SECONDS, Ahead, Damaged, unpack
from backups.archive.subset import TOGETHER_BYTES, hashed_columns
from providers import postgres
from providers.errors import ProviderError
from providers.postgres.connection import UNKNOWN_NAME
from providers.postgres.copy.row_digests import own_transaction, partition_tree, whole_tree
from providers.postgres.error_facts import facts_of, is_of_the_server
from providers.postgres.restore.held_checks import BY_HASH, BY_ORDER, THROUGH_ROOT, loosen
from providers.storage.base import Missing, StoreError


class Loader(Builder):
    """Builds, loads and compares."""

    def load_all(self, tables: Sequence[Table], new: bool = False) -> dict[str, dict[str, Segment]]:
        """Every table; whose rows were refused once more at the end."""
        loads = self.load_once(tables, new)
        return {name: {**loads[name], **again} for name, again in self.load_again(tables).items()}

    def load_once(self, tables: Sequence[Table], new: bool = False) -> dict[str, dict[str, Segment]]:
        """`new`: they hold no row yet, and nobody looks, so a server of ours needs no log of the rows of large ones."""
        loads = {}
        with self._reading(tables) as reading:
            for table in tables:
                large = new and table.raw_bytes > TOGETHER_BYTES
                with postgres.unlogged(self.connection, (table.schema, table.name)) if large else nullcontext():
                    loads[table.qualified] = self._load_table(table, reading)
        self.look_in()
        return loads

    def load_again(self, tables: Sequence[Table]) -> dict[str, dict[str, Segment]]:
        """What was refused, now that all is there: a domain's check may read other tables. Then without such checks."""
        loads: dict[str, dict[str, Segment]] = {table.qualified: {} for table in tables}
        for off in (False, True):
            for table in tables if not off or (self.refused and self.take_off(nested=True)) else ():
                left, said = [s for s in table.segments if s in self.refused], f"Loading {table.qualified} stopped: "
                if left and any(text.startswith(said) for text in self.problems):
                    self.problems[:] = [text for text in self.problems if not text.startswith(said)]
                    self.refused[:] = [segment for segment in self.refused if segment not in left]
                    loads[table.qualified] |= self.load_once([replace(table, segments=tuple(left))])[table.qualified]
        return loads

    def load(self, table: Table) -> dict[str, Segment]:
        """One table; answers which transaction, if each segment had one of its own, loaded which segment."""
        return self.load_all([table])[table.qualified]

    def _reading(self, tables: Sequence[Table]) -> Ahead:
        return Ahead(partial(self._blocks, segment) for table in tables for segment in table.segments)

    def _load_table(self, table: Table, reading: Ahead) -> dict[str, Segment]:
        loads: dict[str, Segment] = {}
        self.tally.begin(table.qualified, table.raw_bytes, self.watch)
        for segment in table.segments:
            self.watch.check()
            if loader := self._load(table, segment, reading) or self._load_loosened(table, segment):
                loads[loader] = segment
                self.rows += segment.rows
                self.bytes += segment.raw_bytes
            elif segment.rows:
                self.refused.append(segment)
            reading.skip()
            self.tally.add(table.qualified, segment.raw_bytes, segment.rows, self.watch)
        return loads

    def _blocks(self, segment: Segment) -> Iterator[bytes]:
        """A bad line is no bad object: what is not the manifest's object is read once more."""
        for again in (False, True):
            blocks = unpack(read_again(self.store, segment.key), segment, self.identities)
            try:
                first = next(blocks, b"")
            except Damaged:
                if again:
                    raise
            else:
                yield first
                return (yield from blocks)

    def _load_loosened(self, table: Table, segment: Segment) -> str:
        """Once a table's bounds give way, with its checks where text has another order here: the digest tells of rows.

        A hash of an enum, and an expression, may choose another partition here: into a restore rows come by the root.
        """
        said, order = f"Loading {table.qualified} stopped: check violation", bool(self.stand_ins or self.other_order)
        mine = [text for text in self.problems if text.startswith(said)]
        if not mine or table.qualified in self.amber:
            return ""
        places = [(table.schema, table.name)]
        if not (self.lenient or order):
            places = partition_tree(self.connection, places[0])[:1]
        elif places := places if loosen(self.connection, places[0], order) else []:
            self.amber[table.qualified] = f"{table.qualified}: {BY_ORDER if order else BY_HASH}."
            self.lost.append(Statement("before", "bounds", table.qualified, "", False, table.qualified))
        for schema, name in places:
            self.problems[:] = [text for text in self.problems if text not in mine]
            with self._reading([replace(table, segments=(segment,))]) as reading:
                return self._load(replace(table, schema=schema, name=name), segment, reading)
        return ""

    def _load(self, table: Table, segment: Segment, reading: Ahead) -> str:
        try:
            reading.wait(self.beat_seconds or LOOK_SECONDS, self.alive)
            key, names = (table.schema, table.name), [column.name for column in table.columns]
            self.look_in(self.path_of(table.qualified))
            with self.connection.transaction() as own:
                rows = postgres.copy_in(self.connection, key, names, segment.format, reading.blocks())
                inside = bool(own.savepoint_name)
                loader = segment.key if inside and not self.lenient else own_transaction(self.connection, inside)
        except Missing:
            self.problems.append(f"{segment.key} is missing from the store.")
        except Damaged as error:
            self.problems.append(f"{error}.")
        except ProviderError as error:
            if isinstance(error, StoreError) or error.retryable:
                raise  # an outage, or a server without room, says nothing about the copy: the proof is tried again
            if not self._is_unreadable_here(table, error.message):
                self.problems.append(error.message)
        else:
            if rows != segment.rows:
                self.problems.append(f"{segment.key} gave {rows} rows, the manifest says {segment.rows}.")
            return loader
        return ""

    def _is_unreadable_here(self, table: Table, said: str) -> bool:
        """A server that was built without XML reads no value of it: that says nothing about the copy."""
        if not self.lenient or "(0A000)" not in said:
            return False
        try:
            with self.connection.transaction():
                self.connection.execute("SELECT '<a/>'::pg_catalog.xml")
        except psycopg.errors.FeatureNotSupported:
            self.amber[table.qualified] = f"{table.qualified}: its rows were not checked, as this server has no XML."
        return table.qualified in self.amber

    def alive(self) -> None:
        """However slowly an object comes, only a worker that stands still is silent on the session."""
        self.watch.check()
        if self.beat_seconds:
            self.connection.execute("SELECT 1")

    def compare(self, table: Table, loads: dict[str, Segment]) -> None:
        """Counts and digests per segment and for the table, as they now are in the database."""
        try:
            evidence = self._evidence_by_load(table)
        except psycopg.Error as error:
            if self.connection.closed or is_of_the_server(error):
                raise
            self.problems.append(f"{table.qualified} could not be compared: {facts_of(error, self.manifest.names)}.")
            return
        for loader, segment in loads.items():
            self._compare(segment.key, segment, evidence.pop(loader, postgres.Evidence(0, "0")))
        for extra in evidence.values():
            self.problems.append(f"{table.qualified} holds {extra.rows} rows that no segment brought or that changed.")

    def _evidence_by_load(self, table: Table) -> dict[str, postgres.Evidence]:
        """An index's own function may name no schema: the planner looks into it."""
        key, columns = (table.schema, table.name), hashed_columns(table)
        try:
            return postgres.evidence_by_load(self.connection, key, columns)
        except UNKNOWN_NAME:
            self.look_in(self.path_of(table.qualified))
            try:
                return postgres.evidence_by_load(self.connection, key, columns)
            finally:
                self.look_in()

    def compare_whole(self, table: Table) -> None:
        """Count and digest of the whole table, for loads that share one transaction."""
        key = (table.schema, table.name)
        wanted = {t.qualified: postgres.Evidence(t.rows, t.digest) for t in self.manifest.tables}
        evidence = postgres.evidence(self.connection, key, hashed_columns(table))
        if evidence == postgres.Evidence(table.rows, table.digest):
            return
        if root := whole_tree(self.connection, key, hashed_columns(table), wanted, self.amber):
            self.amber[root] = f"{root}: {THROUGH_ROOT}."
        else:
            self.problems.append(f"{table.qualified}: what arrived differs from the snapshot ({evidence.rows} rows).")

    def _compare(self, name: str, segment: Segment, evidence: postgres.Evidence) -> None:
        if evidence.rows != segment.rows:
            self.problems.append(f"{name}: {evidence.rows} rows arrived, the snapshot had {segment.rows}.")
        elif evidence.digest != segment.digest:
            self.problems.append(f"{name}: a row differs from the snapshot (row digest {evidence.digest}).")
