"""A second session of the drill: it only reads, while the first one compares rows and asks the product's check.

In: a login of the drill's owner; later a loader whose run is built and loaded. Out: futures of the chains of each audit
table and of the facts for later reports. It signs in before anything of the run is there, so nothing of the run can
have set how it works; its thread says nothing to the operation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import psycopg

from backups.archive.loader import Loader
from backups.facts.collector import collect
from backups.facts.model import RunFacts
from backups.progress import Watch
from backups.proof.comparison import Comparison
from backups.proof.findings import KEPT_ROWS
from providers import postgres
from providers.postgres.audit_trail.chains import ChainHead, Damage
from providers.postgres.connection import Connection

LOOK_SECONDS = 1.0
T = TypeVar("T")


@dataclass(frozen=True)
class Chains:
    """Of one audit table, as it now is in the drill."""

    heads: list[ChainHead]
    damage: Damage


@dataclass
class Beside:
    """`said`: log lines of the thread, for whoever takes its answers."""

    connection: Connection
    pool: ThreadPoolExecutor
    said: list[str] = field(default_factory=list)
    futures: list[Future[Any]] = field(default_factory=list)
    chains: dict[str, Future[Chains]] = field(default_factory=dict)
    facts: Future[RunFacts | None] | None = None

    def ask(self, loader: Loader, comparison: Comparison) -> None:
        """Everything at once, to be answered in this order."""
        for table in loader.manifest.audit_tables:
            self.chains[table.qualified] = self._begin(partial(_chains, self.connection, (table.schema, table.name)))
        silent = Watch(log=self.said.append)
        reading = Loader(loader.manifest, loader.store, self.connection, loader.identities, silent)
        self.facts = self._begin(lambda: collect(reading, comparison.manifest, comparison.facts))

    def answer(self, future: Future[T], watch: Watch) -> T:
        """Wait for one; a cancel or a lost lease ends the wait."""
        while wait([future], LOOK_SECONDS).not_done:
            watch.check()
        answer = future.result()
        while self.said:
            watch.log(self.said.pop(0))
        return answer

    def _begin(self, work: Callable[[], T]) -> Future[T]:
        future = self.pool.submit(work)
        self.futures.append(future)
        return future


@contextmanager
def second_session(login: str) -> Iterator[Beside]:
    """What still runs at the end of the block is cancelled."""
    with postgres.connect(login) as connection, ThreadPoolExecutor(1, thread_name_prefix="beside") as pool:
        beside = Beside(connection, pool)
        try:
            yield beside
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            while running := [future for future in beside.futures if not future.done()]:
                with suppress(psycopg.Error):
                    connection.cancel()
                wait(running, LOOK_SECONDS / 10)


def _chains(connection: Connection, key: tuple[str, str]) -> Chains:
    return Chains(postgres.chain_heads(connection, key), postgres.chain_damage(connection, key, KEPT_ROWS))
