"""Rows, digests, keys and indexes of a run brought by two sessions at once, into a database that nobody has yet.

In: a loader whose tables are made, its database. Out: the loader's `problems` grow. Each piece is a transaction of its
own: whoever made the database drops it where the restore does not end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from threading import Condition, Event

import psycopg

from backups.archive.loader import Loader
from backups.archive.manifest import Segment, Statement, Table
from backups.archive.segment_codec import LOOK_SECONDS
from backups.archive.subset import TOGETHER, TOGETHER_BYTES, batches, shared_out
from backups.progress import Watch
from backups.restore.session import helping

LOAD, KEYS, READ, FOREIGN = range(4)  # what is done to a table, in order
SHARED = (LOAD, READ)  # several of these may be done to one table at once
CONSTRAINTS = frozenset(["primary_key", "unique", "exclusion"])
MOST_OF_ALL = 2  # a table with more rows than so many times all others is loaded by both sessions


class Stopped(Exception):
    """The first session has ended."""


@dataclass(frozen=True)
class Job:
    """One piece of work on some tables; `weight` in bytes of their rows, which tells what to begin with."""

    stage: int
    tables: frozenset[str]
    weight: int
    work: Callable[[Loader], object]

    def is_beside(self, other: Job) -> bool:
        """Whether both may be done at once."""
        return self.tables.isdisjoint(other.tables) or self.stage == other.stage in SHARED


@dataclass
class Pair:
    """The caller's session and a second one, whose loader tells its problems to the first.

    `spoilt`: rows did not come, so the rest is left until they have come after all. `differing`: tables whose rows may
    lie in others, which tells nobody before all have come.
    """

    first: Loader
    second: Loader
    pool: ThreadPoolExecutor
    futures: list[Future[None]] = field(default_factory=list)
    waiting: list[Job] = field(default_factory=list)
    running: set[Job] = field(default_factory=set)
    changed: Condition = field(default_factory=Condition)
    spoilt: bool = False
    differing: list[Table] = field(default_factory=list)

    def bring(self) -> None:
        """Rows, keys, indexes and digests, each table's in this order."""
        manifest = self.first.manifest
        after = [item for item in manifest.statements if item.phase == "after" and ";" not in item.sql]
        made = [
            *self._made(KEYS, [item for item in after if item.kind in CONSTRAINTS]),
            *self._made(READ, [item for item in after if item.kind == "index"]),
            *self._made(FOREIGN, [item for item in after if item.kind == "foreign_key"]),
        ]
        heaps = in_heaps(manifest.tables)
        compared = [_job(READ, heap, partial(self._compare, tables=heap)) for heap in heaps]
        loaded = [job for heap in heaps for job in loads(heap, manifest.raw_bytes)]
        self.waiting = sorted([*loaded, *made, *compared], key=lambda job: (job.stage, -job.weight))
        self.futures.append(self.pool.submit(self._work, self.second))
        self._work(self.first)
        self.futures[0].result()
        self.first.load_again(manifest.tables)
        self.first.rows += self.second.rows
        self.first.bytes += self.second.bytes
        self.first.look_in()
        for heap in (heaps if self.spoilt else [self.differing]) if not self.first.problems else ():
            self.first.compare_whole(heap)

    def _compare(self, loader: Loader, tables: Sequence[Table]) -> None:
        loader.watch.check()
        loader.look_in()
        self.differing += [table for table, _ in loader.differing(tables)]

    def _made(self, stage: int, statements: Sequence[Statement]) -> Iterator[Job]:
        sizes = {table.qualified: table.raw_bytes for table in self.first.manifest.tables}
        for batch in batches(self.first.manifest, statements):
            names = frozenset(name for item in batch for name in (item.table, item.references) if name)
            weight = sum(sizes.get(item.table, 0) for item in batch)
            yield Job(stage, names, weight, partial(_make, batch=batch))

    def _work(self, loader: Loader) -> None:
        try:
            while job := self._next(loader):
                job.work(loader)
                with self.changed:
                    self.running.discard(job)
                    self.spoilt |= job.stage == LOAD and bool(loader.problems)
                    self.changed.notify()
        except BaseException:
            with self.changed:
                self.waiting.clear()
                self.running.clear()
                self.changed.notify()
            raise

    def _next(self, loader: Loader) -> Job | None:
        """The next that can be begun; until then the session is kept alive. None once nothing is left or running."""
        while True:
            with self.changed:
                self.waiting = [job for job in self.waiting if job.stage == LOAD or not self.spoilt]
                if job := self._beginnable():
                    self.waiting.remove(job)
                    self.running.add(job)
                if job or not self.running:
                    return job
                self.changed.wait(loader.beat_seconds or LOOK_SECONDS)
            loader.alive()

    def _beginnable(self) -> Job | None:
        """The first that is beside what runs, and whose tables nothing of an earlier stage waits for."""
        earlier: set[str] = set()
        for _, stage in groupby(self.waiting, lambda job: job.stage):
            jobs = [*stage]
            for job in jobs:
                if job.tables.isdisjoint(earlier) and all(map(job.is_beside, self.running)):
                    return job
            earlier.update(*(job.tables for job in jobs))
        return None


def in_heaps(tables: Sequence[Table]) -> list[list[Table]]:
    """Each large one by itself; small ones at most so many together."""
    small = [table for table in tables if table.raw_bytes <= TOGETHER_BYTES]
    heaps = shared_out(small, 2 + len(small) // TOGETHER, lambda table: table.raw_bytes)
    return [*filter(None, heaps), *([table] for table in tables if table.raw_bytes > TOGETHER_BYTES)]


def loads(heap: Sequence[Table], total: int) -> Iterator[Job]:
    """Of `total` bytes; both sessions load a large table that is most of all."""
    size = sum(table.raw_bytes for table in heap)
    if len(heap) > 1 or size <= MOST_OF_ALL * (total - size):
        yield _job(LOAD, heap, partial(Loader.load_once, tables=heap))
        return
    for half in shared_out(heap[0].segments, 2, lambda segment: segment.raw_bytes):
        yield _job(LOAD, heap, partial(_load, table=heap[0], segments=half))


def _job(stage: int, tables: Sequence[Table], work: Callable[[Loader], object]) -> Job:
    return Job(stage, frozenset(table.qualified for table in tables), sum(table.raw_bytes for table in tables), work)


def _load(loader: Loader, table: Table, segments: Sequence[Segment]) -> None:
    loader.tally.begin(table.qualified, table.raw_bytes, loader.watch)
    loader.load_once([replace(table, segments=tuple(segments))])


def _make(loader: Loader, batch: Sequence[Statement]) -> None:
    """What fails is left: it may need what the other session has not made yet, and is made after all, in order."""
    if loader.try_together(batch):
        loader.made.update(batch)


@contextmanager
def two_sessions(first: Loader, dsn: str) -> Iterator[Pair]:
    """What still runs at the end of the block is cancelled."""
    stop = Event()

    def check() -> None:
        if stop.is_set():
            raise Stopped

    with (
        helping(first.connection, dsn, first.watch) as connection,
        ThreadPoolExecutor(1, thread_name_prefix="second") as pool,
    ):
        connection.execute("SET synchronous_commit = off")
        second = replace(first, connection=connection, watch=Watch(check=check), looked_in=[], rows=0, bytes=0)
        second.tally = first.tally
        pair = Pair(first, second, pool)
        try:
            yield pair
        finally:
            stop.set()
            while running := [future for future in pair.futures if not future.done()]:
                with suppress(psycopg.Error):
                    connection.cancel()
                wait(running, LOOK_SECONDS / 10)
