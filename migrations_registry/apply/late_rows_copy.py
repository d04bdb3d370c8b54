"""One try's copy of what was written since a restore point: counted, copied, stored, within a time limit.

In: a transaction that holds the tables' locks, the restore point's manifest, a store. Out: late rows stored beside the
run, or Refused, upon which the caller rolls back: what was stored until then is an orphan that no document names.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import dataclass, field
from typing import Any, TypeVar

from psycopg import errors

from backups.archive import keys
from backups.archive.late_rows import LateRows, prefix_of, put_late_rows
from backups.archive.manifest import Column, Manifest, Segment, Table
from backups.archive.segment_codec import TooLarge, pack
from operations.periodic.clock import database_time
from providers import postgres
from providers.errors import Refused
from providers.postgres.connection import Connection
from providers.postgres.copy.snapshot import Since
from providers.postgres.migrate.cascade_reach import ReachedTable, counts, since
from providers.storage.base import Store

Stored = TypeVar("Stored")


@dataclass(frozen=True)
class Place:
    """Whose rows they are: one try of one step of one claim of an operation."""

    operation: str
    step: int
    fence: int
    attempt: int


@dataclass
class LateRowsCopy:
    """What one try compares with, where it stores, and for how many seconds it may keep others waiting.

    `other`: the session that reads the catalog, because to look at a sequence's value locks it like a change of it.
    """

    connection: Connection
    other: Connection
    manifest: Manifest
    store: Store
    place: Place
    limit: float
    began: float = field(default_factory=time.monotonic)

    @property
    def directory(self) -> str:
        return prefix_of(self.manifest.run, self.place.step, self.place.fence, self.place.attempt)

    def left(self) -> float:
        """Seconds that others may still be kept waiting. Raises Refused when there are none."""
        seconds = self.limit - (time.monotonic() - self.began)
        if seconds <= 0:
            raise self.too_much(f"comparing and copying took longer than {self.limit:g} s")
        return seconds

    def too_much(self, why: str) -> Refused:
        return Refused(
            f"What was written since the restore point could not be kept in time: {why}. The transaction was rolled "
            "back, nothing was changed. Request it again at a quieter time, or switch maintenance mode on first."
        )

    def bounded(self, run: Callable[[], Any]) -> Any:
        """One query within the time that is left."""
        milliseconds = max(1, int(self.left() * 1000))
        self.connection.execute("SELECT pg_catalog.set_config('statement_timeout', %s, true)", [f"{milliseconds}ms"])
        try:
            return run()
        except errors.QueryCanceled:
            raise self.too_much(f"comparing and copying took longer than {self.limit:g} s") from None


def store_late_rows(copy: LateRowsCopy, locked: list[ReachedTable], known: dict[str, int]) -> int:
    """Store every row of the locked tables that the restore point may not hold; answers how many."""
    written = since(copy.connection, copy.manifest.source.xmin)
    names = {oid: name for name, oid in known.items()}
    tables = [rows for table in locked if (rows := _late_rows_of(copy, table, names[table.oid], written))]
    if tables:
        _store_document(copy, tuple(tables))
    return sum(table.rows for table in tables)


def store_all(copy: LateRowsCopy, held: ReachedTable, exported_as: str) -> None:
    """Store every row of a table that holds old rows of the exported one."""
    written = since(copy.connection, copy.manifest.source.xmin)
    _store_document(copy, (_stored(copy, held, copy.manifest.table(exported_as), written),))


def _late_rows_of(copy: LateRowsCopy, table: ReachedTable, exported_as: str, written: Since) -> Table | None:
    """The rows of one table that are not in its copy, stored; None where there are none."""
    name = (table.schema, table.name)
    new, old = copy.bounded(lambda: counts(copy.connection, name, written))
    exported = copy.manifest.table(exported_as)
    if old > exported.rows:
        raise Refused(
            f"{table.qualified} holds {old} rows older than the restore point, which copied {exported.rows}. "
            "The transaction was rolled back, nothing was changed. Request it again."
        )
    return _stored(copy, table, exported, written) if new else None


def _stored(copy: LateRowsCopy, table: ReachedTable, exported: Table, written: Since) -> Table:
    name = (table.schema, table.name)
    catalog = postgres.read_catalog(copy.other, [table.qualified])
    live = next(row for row in catalog.tables if row.oid == table.oid)
    fmt = "csv" if exported.format == "csv" or not live.binary_io else "binary"
    stream = postgres.CopyOut(copy.connection, name, [column.name for column in live.stored_columns], written, fmt)
    try:
        packed = copy.bounded(lambda: pack(stream, keys.recipients()))
    except TooLarge:
        raise copy.too_much(f"the changed rows of {table.qualified} are larger than one stored object") from None
    evidence = copy.bounded(lambda: postgres.evidence(copy.connection, name, list(live.stored_columns), written))
    ending = ".zst.age" if keys.recipients() else ".zst"
    key = f"{copy.directory}{table.oid}.{fmt}{ending}"
    stored = _in_time(copy, lambda: copy.store.put_once(key, packed.data))
    segment = Segment(
        key=key,
        start="",
        end="",
        rows=evidence.rows,
        digest=evidence.digest,
        raw_bytes=packed.raw_bytes,
        raw_sha256=packed.raw_sha256,
        stored_bytes=len(packed.data),
        stored_sha256=stored.sha256,
        encrypted=bool(keys.recipients()),
    )
    columns = tuple(Column(column.name, column.type, column.hashed_as) for column in live.stored_columns)
    return Table(exported.schema, exported.name, fmt, exported.named, columns, (segment,))


def _store_document(copy: LateRowsCopy, tables: tuple[Table, ...]) -> None:
    """The document that makes the segments count, after them and before COMMIT."""
    late_rows = LateRows(
        run=copy.manifest.run,
        manifest_sha256=copy.manifest.sha256,
        operation=copy.place.operation,
        step=copy.place.step,
        fence=copy.place.fence,
        attempt=copy.place.attempt,
        at=database_time().isoformat(),
        tables=tables,
    )
    _in_time(copy, lambda: put_late_rows(copy.store, late_rows, keys.signer()))


def _in_time(copy: LateRowsCopy, put: Callable[[], Stored]) -> Stored:
    """A store that answers late must not keep the locks: what it still stores is an orphan that no document names."""
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(put).result(timeout=copy.left())
    except TooSlow:
        raise copy.too_much("the store did not answer in time") from None
    finally:
        pool.shutdown(wait=False)
