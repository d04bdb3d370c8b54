"""Two more sessions of the drill: they only read, while the first one builds indexes and compares rows.

In: a login of the drill's owner; later a loader whose rows are loaded. Out: futures of the chains of each audit table
and of the facts for later reports. They sign in before anything of the run is there, so nothing of the run can have
set how they work; their threads say nothing to the operation. What they read is compared with the snapshot afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psycopg

from backups.archive.loader import Loader
from backups.archive.manifest import Statement, Table
from backups.facts.collector import collect
from backups.facts.model import RunFacts
from backups.progress import Watch
from backups.proof.comparison import Comparison
from backups.proof.findings import KEPT_ROWS
from providers import postgres
from providers.postgres.audit_trail.chains import ChainHead, Damage, hash_breaks, order_breaks
from providers.postgres.connection import Connection

LOOK_SECONDS = 1.0
T = TypeVar("T")


@dataclass(frozen=True)
class Chains:
    """Of one audit table, as it now is in the drill."""

    heads: list[ChainHead]
    damage: Damage


@dataclass
class Session:
    """A connection with a thread of its own; what is begun is done in this order."""

    connection: Connection
    thread: ThreadPoolExecutor
    futures: list[Future[Any]] = field(default_factory=list)

    def begin(self, work: Callable[[Connection], T]) -> Future[T]:
        future = self.thread.submit(work, self.connection)
        self.futures.append(future)
        return future

    def running(self) -> list[Future[Any]]:
        return [future for future in self.futures if not future.done()]


@dataclass
class Beside:
    """`said`: log lines of a thread, for whoever takes its answers. `sorting` reads in order, alone; for `scanning` the
    server may take more processes."""

    sorting: Session
    scanning: Session
    said: list[str] = field(default_factory=list)
    chains: dict[str, Future[Chains]] = field(default_factory=dict)
    facts: Future[RunFacts | None] | None = None

    def ask(self, loader: Loader, comparison: Comparison) -> None:
        """Everything at once, unless it was asked already."""
        if self.facts:
            return
        for table in loader.manifest.audit_tables:
            self.chains[table.qualified] = self._chains(table)
        silent = Watch(log=self.said.append)
        reading = Loader(loader.manifest, loader.store, self.sorting.connection, loader.identities, silent)
        self.facts = self.sorting.begin(lambda _: collect(reading, comparison.manifest, comparison.facts))

    def _chains(self, table: Table) -> Future[Chains]:
        key = (table.schema, table.name)
        ends = self.sorting.begin(lambda c: (postgres.chain_heads(c, key), order_breaks(c, key)))
        broken = self.scanning.begin(lambda c: hash_breaks(c, key))

        def both(connection: Connection) -> Chains:
            heads, disordered = ends.result()
            whole = not (disordered or broken.result())
            return Chains(heads, Damage() if whole else postgres.chain_damage(connection, key, KEPT_ROWS))

        return self.scanning.begin(both)

    def during_indexes(self, batch: Sequence[Statement], loader: Loader, comparison: Comparison) -> None:
        """Before each batch after the rows: an index is built while others read; all else may want the table alone."""
        if all(item.kind == "index" for item in batch):
            self.ask(loader, comparison)
            return
        for future in [*self.sorting.futures, *self.scanning.futures]:
            self._waited(future, loader.watch)

    def answer(self, future: Future[T], watch: Watch) -> T:
        """Wait for one; a cancel or a lost lease ends the wait."""
        self._waited(future, watch)
        answer = future.result()
        while self.said:
            watch.log(self.said.pop(0))
        return answer

    def _waited(self, future: Future[Any], watch: Watch) -> None:
        while wait([future], LOOK_SECONDS).not_done:
            watch.check()


@contextmanager
def sessions_beside(login: str) -> Iterator[Beside]:
    """What still runs at the end of the block is cancelled."""
    with ExitStack() as stack:
        connections = [stack.enter_context(postgres.connect(login)) for _ in range(2)]
        threads = [stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="beside")) for _ in connections]
        sorting, scanning = (Session(*pair) for pair in zip(connections, threads, strict=True))
        stack.callback(_end, [sorting, scanning])
        sorting.connection.execute("SET max_parallel_workers_per_gather = 0")
        yield Beside(sorting, scanning)


def _end(sessions: Sequence[Session]) -> None:
    for session in sessions:
        session.thread.shutdown(wait=False, cancel_futures=True)
    while running := [future for session in sessions for future in session.running()]:
        for session in sessions:
            with suppress(psycopg.Error):
                session.connection.cancel()
        wait(running, LOOK_SECONDS / 10)
