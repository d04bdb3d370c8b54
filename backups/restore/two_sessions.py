"""Rows, digests, keys and indexes of a run brought by two sessions at once, into a database that nobody has yet.

In: a loader whose tables are made, its database. Out: the loader's `problems` grow. Each piece is a transaction of its
own: whoever made the database drops it where the restore does not end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event

import psycopg

from backups.archive.loader import Loader
from backups.archive.manifest import Statement, Table
from backups.archive.segment_codec import LOOK_SECONDS
from backups.archive.subset import batches, shared_out
from backups.progress import Watch
from backups.restore.session import helping

KEYS = frozenset(["primary_key", "unique", "exclusion"])
Job = Callable[[Loader], object]


class Stopped(Exception):
    """The first session has ended."""


@dataclass
class Pair:
    """The caller's session and a second one, whose loader tells its problems to the first."""

    first: Loader
    second: Loader
    pool: ThreadPoolExecutor
    futures: list[Future[None]] = field(default_factory=list)

    def bring(self) -> None:
        """Rows, then keys, then indexes and digests: what asks for a table alone is not beside what reads it long."""
        manifest = self.first.manifest
        halves = _halves(manifest.tables)
        for table in manifest.tables:
            if all(table.qualified in half for half in halves):
                self.first.tally.begin(table.qualified, table.raw_bytes, self.first.watch)
        self._do([partial(Loader.load_once, tables=[*half.values()]) for half in halves])
        self.first.load_again(manifest.tables)
        self.first.rows += self.second.rows
        self.first.bytes += self.second.bytes
        if self.first.problems:
            return
        after = [item for item in manifest.statements if item.phase == "after" and ";" not in item.sql]
        compared = [(table.raw_bytes, partial(_compare, table=table)) for table in manifest.tables]
        self._do(_largest_first(self._made(item for item in after if item.kind in KEYS)))
        self._do(_largest_first([*self._made(item for item in after if item.kind == "index"), *compared]))

    def _made(self, statements: Iterable[Statement]) -> list[tuple[int, Job]]:
        sizes = {table.qualified: table.raw_bytes for table in self.first.manifest.tables}
        return [
            (sum(sizes.get(item.table, 0) for item in batch), partial(_make, batch=batch))
            for batch in batches(self.first.manifest, [*statements])
        ]

    def _do(self, jobs: Iterable[Job]) -> None:
        """Each takes the next job; who has none left keeps its session alive. Raises what either raised."""
        waiting, ended = deque(jobs), Event()
        other = self.pool.submit(_work, self.second, waiting, ended)
        self.futures.append(other)
        try:
            while not other.done() and (job := _next(waiting)):
                job(self.first)
        finally:
            ended.set()
        while wait([other], self.first.beat_seconds or LOOK_SECONDS).not_done:
            self.first.alive()
        other.result()


def _make(loader: Loader, batch: Sequence[Statement]) -> None:
    """What fails is left: it may need what the other session has not made yet, and is made after all, in order."""
    if loader.try_together(batch):
        loader.made.update(batch)


def _compare(loader: Loader, table: Table) -> None:
    loader.look_in()
    loader.compare_whole(table)


def _next(waiting: deque[Job]) -> Job | None:
    with suppress(IndexError):
        return waiting.popleft()
    return None


def _work(loader: Loader, waiting: deque[Job], ended: Event) -> None:
    while job := _next(waiting):
        job(loader)
    while not ended.wait(loader.beat_seconds or LOOK_SECONDS):
        loader.alive()


def _largest_first(jobs: Iterable[tuple[int, Job]]) -> list[Job]:
    return [job for _, job in sorted(jobs, key=lambda each: -each[0])]


def _halves(tables: Sequence[Table]) -> list[dict[str, Table]]:
    """Segments, shared out by size; a large table is in both."""
    segments = (segment for table in tables for segment in table.segments)
    held = [{s.key for s in half} for half in shared_out(segments, 2, lambda segment: segment.raw_bytes)]
    parts = [[replace(t, segments=tuple(s for s in t.segments if s.key in keys)) for t in tables] for keys in held]
    return [{table.qualified: table for table in part if table.segments} for part in parts]


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
        connection.execute("SET check_function_bodies = off")
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
