"""One try's copy of what was written since a restore point: counted, copied, stored, within a time limit.

In: a transaction that holds the tables' locks, the restore point's manifest, a store. Out: kept rows beside the run, or
Refused, upon which the caller rolls back: what was stored until then is an orphan that no document names.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.utils import timezone
from psycopg import errors

from backups.archive import keys
from backups.archive.late_rows import Kept, prefix_of, store_kept
from backups.archive.manifest import Column, Manifest, Segment, Table
from backups.archive.segment_codec import TooLarge, pack
from providers import postgres
from providers.errors import Refused
from providers.postgres.connection import Connection
from providers.postgres.copy.snapshot import Since
from providers.postgres.migrate.cascade_reach import ReachedTable, counts, since
from providers.storage.base import Store

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Place:
    """Whose rows they are: one try of one step of one claim of an operation."""

    operation: str
    step: int
    fence: int
    attempt: int


@dataclass
class Keeper:
    """What one try compares with, where it stores, and for how many seconds it may keep others waiting."""

    connection: Connection
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


def keep(keeper: Keeper, found: list[ReachedTable], known: dict[str, int]) -> int:
    """Store every row of the locked tables that the restore point may not hold; answers how many."""
    written = since(keeper.connection, keeper.manifest.source.xmin)
    names = {oid: name for name, oid in known.items()}
    tables = [one for table in found if (one := _kept(keeper, table, names[table.oid], written))]
    if tables:
        _store(keeper, tuple(tables))
    return sum(table.rows for table in tables)


def _kept(keeper: Keeper, table: ReachedTable, copied_as: str, written: Since) -> Table | None:
    """The rows of one table that are not in its copy, stored; None where there are none."""
    name = (table.schema, table.name)
    new, old = keeper.bounded(lambda: counts(keeper.connection, name, written))
    copied = keeper.manifest.table(copied_as)
    if old > copied.rows:
        raise Refused(
            f"{table.qualified} holds {old} rows older than the restore point, which copied {copied.rows}. "
            "The transaction was rolled back, nothing was changed. Request it again."
        )
    return _copied(keeper, table, copied, written) if new else None


def _copied(keeper: Keeper, table: ReachedTable, copied: Table, written: Since) -> Table:
    name = (table.schema, table.name)
    catalog = postgres.read_catalog(keeper.connection, [table.qualified])
    live = next(one for one in catalog.tables if one.oid == table.oid)
    fmt = "csv" if copied.format == "csv" or not live.binary_io else "binary"
    stream = postgres.CopyOut(keeper.connection, name, [column.name for column in live.stored_columns], written, fmt)
    try:
        packed = keeper.bounded(lambda: pack(stream, keys.recipients()))
    except TooLarge:
        raise keeper.too_much(f"the changed rows of {table.qualified} are larger than one stored object") from None
    evidence = keeper.bounded(lambda: postgres.evidence(keeper.connection, name, list(live.stored_columns), written))
    ending = ".zst.age" if keys.recipients() else ".zst"
    key = f"{keeper.directory}{table.oid}.{fmt}{ending}"
    stored = _in_time(keeper, lambda: keeper.store.put_once(key, packed.data))
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
    return Table(copied.schema, copied.name, fmt, copied.named, columns, (segment,))


def _store(keeper: Keeper, tables: tuple[Table, ...]) -> None:
    """The document that makes the segments count, after them and before COMMIT."""
    kept = Kept(
        run=keeper.manifest.run,
        manifest_sha256=keeper.manifest.sha256,
        operation=keeper.place.operation,
        step=keeper.place.step,
        fence=keeper.place.fence,
        attempt=keeper.place.attempt,
        at=timezone.now().isoformat(),
        tables=tables,
    )
    _in_time(keeper, lambda: store_kept(keeper.store, kept, keys.signer()))


def _in_time(keeper: Keeper, put: Callable[[], Answer]) -> Answer:
    """A store that answers late must not keep the locks: what it still stores is an orphan that no document names."""
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(put).result(timeout=keeper.left())
    except TooSlow:
        raise keeper.too_much("the store did not answer in time") from None
    finally:
        pool.shutdown(wait=False)
