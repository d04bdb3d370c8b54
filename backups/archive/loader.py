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
from backups.archive.manifest import Segment, Table
from backups.archive.reader import read_again
from backups.archive.segment_codec import LOOK_SECONDS, Ahead, Damaged, unpack
from backups.archive.subset import TOGETHER_BYTES
from providers import postgres
from providers.errors import ProviderError
from providers.postgres.copy.row_digests import own_transaction, partition_tree
from providers.postgres.error_facts import CHECKED
from providers.postgres.restore.held_checks import BESIDE_ROOT, NOT_COMPUTED, detach, let_go
from providers.postgres.schema.generations import COMPUTED
from providers.postgres.schema.model import Name
from providers.storage.base import Missing, StoreError


class Loader(Builder):
    """Builds, loads and compares."""

    def present(self) -> list[Table]:
        """The run's tables that could be made; why others could not is in `amber`."""
        there = set(postgres.table_sizes(self.connection)) if self.lenient else None
        tables = [table for table in self.manifest.tables if there is None or table.qualified in there]
        for table in self.manifest.tables:
            if table not in tables:
                self.amber.setdefault((table.qualified, ""), f"{table.qualified} could not be made here.")
        return tables

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
        """What was refused, now that all is there: what its code reads may have come. Then without what refuses."""
        loads: dict[str, dict[str, Segment]] = {table.qualified: {} for table in tables}
        for off in (None, partial(self.take_off, nested=True), self._let_go, self._detached):
            for table in tables if off is None or (self.refused and off()) else ():
                if left := [segment for segment in table.segments if self._take_back(segment)]:
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
            if loader := self._load(table, segment, reading) or self._load_elsewhere(table, segment):
                loads[loader] = segment
                self.rows += segment.rows
                self.bytes += segment.raw_bytes
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

    def _refused(self) -> list[Table]:
        self.look_in()
        return [table for table in self.manifest.tables if {*table.segments} & self.refused.keys()]

    def _take_back(self, segment: Segment) -> bool:
        """Whether its rows were refused: it is tried once more, and told only if they are again."""
        if error := self.refused.pop(segment, None):
            self.problems.remove(error.message)
        return error is not None

    def _let_go(self) -> bool:
        """Whether tables whose rows are refused have columns that their own code computes: they come without it."""
        found = [pair for table in self._refused() for pair in let_go(self.connection, (table.schema, table.name))]
        for column, holders in found:
            self.amber |= {(holder, column): f"{column}: {NOT_COMPUTED}." for holder in holders}
            self.lose(COMPUTED, *holders)
        return bool(found)

    def _beside(self, tables: Sequence[Table]) -> bool:
        """Whether some of them came out of a tree whose right partition may be another one here."""
        out = [table.qualified for table in tables if detach(self.connection, (table.schema, table.name))]
        self.amber |= {(name, ""): f"{name}: {BESIDE_ROOT}." for name in out}
        self.lose("bounds", *out)
        return bool(out)

    def _detached(self) -> bool:
        return self._beside(self._refused())

    def _load_elsewhere(self, table: Table, segment: Segment) -> str:
        """A restore brings rows through the root, and what that does not take, as a drill everything, beside it: the
        digest tells of rows."""
        error = self.refused.get(segment)
        if error is None or error.sqlstate != CHECKED or (table.qualified, "") in self.amber:
            return ""
        for schema, name in self._places(table):
            if not self._take_back(segment):
                break
            with self._reading([replace(table, segments=(segment,))]) as reading:
                if loader := self._load(replace(table, schema=schema, name=name), segment, reading):
                    return loader
        return ""

    def _places(self, table: Table) -> Iterator[Name]:
        own = (table.schema, table.name)
        if not (self.lenient or self.apart):
            yield from partition_tree(self.connection, own)[:1]
        if self._beside([table]):
            yield own

    def _load(self, table: Table, segment: Segment, reading: Ahead) -> str:
        try:
            reading.wait(self.beat_seconds or LOOK_SECONDS, self.alive)
            key, names = (table.schema, table.name), [column.name for column in table.columns]
            self.look_in(self.path_of(table.qualified))
            with self.connection.transaction() as own:
                rows = postgres.copy_in(self.connection, key, names, segment.format, reading.blocks())
                inside = bool(own.savepoint_name)
                loader = own_transaction(self.connection, inside) if self.lenient else segment.key
        except Missing:
            self.problems.append(f"{segment.key} is missing from the store.")
        except Damaged as error:
            self.problems.append(f"{error}.")
        except ProviderError as error:
            if isinstance(error, StoreError) or error.retryable:
                raise  # an outage, or a server without room, says nothing about the copy: the proof is tried again
            if not self._is_unreadable_here(table, error.sqlstate):
                self.problems.append(error.message)
                self.refused[segment] = error
        else:
            if rows != segment.rows:
                self.problems.append(f"{segment.key} gave {rows} rows, the manifest says {segment.rows}.")
            return loader
        return ""

    def _is_unreadable_here(self, table: Table, sqlstate: str) -> bool:
        """A server that was built without XML reads no value of it, nor one of another order a range of text that ends
        before it begins there: that says nothing about the copy. The audit's rows are read, or nothing is proven."""
        if any(table.qualified == audit.qualified for audit in self.manifest.audit_tables):
            return False
        if self.lenient and sqlstate == psycopg.errors.DataException.sqlstate and self.other_order():
            self.amber[table.qualified, ""] = (
                f"{table.qualified}: its rows were not checked: text has another order here."
            )
            return True
        if not self.lenient or sqlstate != psycopg.errors.FeatureNotSupported.sqlstate:
            return False
        try:
            with self.connection.transaction():
                self.connection.execute("SELECT '<a/>'::pg_catalog.xml")
        except psycopg.errors.FeatureNotSupported:
            self.amber[table.qualified, ""] = (
                f"{table.qualified}: its rows were not checked, as this server has no XML."
            )
            return True
        return False

    def alive(self) -> None:
        """However slowly an object comes, only a worker that stands still is silent on the session."""
        self.watch.check()
        if self.beat_seconds:
            self.connection.execute("SELECT 1")
