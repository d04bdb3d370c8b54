"""The connections of one export: one in this process, one or two more in processes of their own.

In: an iterator of Jobs, pulled as connections become free. Out: (Job, segments) as they are stored. The first error
stops all; children die with this process and are killed at the end of the block.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from backups.archive.manifest import Segment
from backups.export.copy_job import Job, Setting
from backups.export.copy_worker import DSN_VARIABLE, Copier
from providers import bounded_json
from providers.errors import ProviderError
from providers.processes import FRUGAL, kill_group, spawn
from providers.storage.base import Store

SMALL_BYTES, TOGETHER = 256 << 10, 50  # a transaction keeps the locks of so many tables, and of their indexes
ROOT = Path(__file__).resolve().parents[2]


class Helper:
    """A copier in another process, spoken to by JSON lines."""

    def __init__(self, dsn: str, setting: Setting) -> None:
        environment = {**os.environ, DSN_VARIABLE: dsn, **FRUGAL}
        argv = [sys.executable, "-m", "providers.secret_environment", "backups.export.copy_worker"]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.process = spawn(argv, env=environment, cwd=ROOT, secrets_by_pipe=True, **pipes)
        self._setting: Setting | None = setting

    def copy(self, jobs: Sequence[Job]) -> list[list[Segment]]:
        """The first call waits for the process to be ready, while other members work already."""
        if self._setting is not None:
            self._ask(vars(self._setting))
            self._setting = None
        answers = self._ask({"jobs": [vars(job) for job in jobs]})["segments"]
        return [[Segment(**values) for values in segments] for segments in answers]

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None  # noqa: S101 - a pipe, see __init__
        assert self.process.stdout is not None  # noqa: S101
        try:
            self.process.stdin.write(json.dumps(question).encode() + b"\n")
            self.process.stdin.flush()
            answer = bounded_json.loads(self.process.stdout.readline())
        except (OSError, ValueError):
            raise ProviderError(
                "A copying process ended unexpectedly. The run was not stored; run again.", True
            ) from None
        if "error" in answer:
            raise ProviderError(answer["error"], answer["retryable"])
        return dict(answer)

    def close(self) -> None:
        kill_group(self.process, grace=1)


class Crew:
    def __init__(
        self, dsn: str, snapshot: str, store: Store, recipients: tuple[str, ...], evidence: bool = True
    ) -> None:
        self.dsn, self.store = dsn, store
        self.setting = Setting(snapshot, store.url, recipients, evidence)
        self.members: list[Copier | Helper] = []

    @contextmanager
    def at_work(self, connections: int) -> Iterator[None]:
        """Open the connections for the length of the block."""
        try:
            self.members += [Helper(self.dsn, self.setting) for _ in range(connections - 1)]
            self.members.append(Copier(self.dsn, self.setting, self.store, ahead=connections == 1))
            yield
        finally:
            for member in self.members:
                member.close()

    def run(self, jobs: Iterator[Job]) -> Iterator[tuple[Job, list[Segment]]]:
        """Do all jobs; one member reads here while it stores, several run in threads that wait for their processes."""
        yield from self._parallel(jobs) if len(self.members) > 1 else self._alone(jobs)

    def _alone(self, jobs: Iterator[Job]) -> Iterator[tuple[Job, list[Segment]]]:
        """Each heap is answered when the next one has been read."""
        (only,) = self.members
        assert isinstance(only, Copier)  # noqa: S101 - see at_work
        before: list[tuple[Job, list[Future[Segment]]]] = []
        for heap in chain(in_heaps(jobs), [[]]):
            reading = [*zip(heap, only.begin(heap), strict=True)]
            yield from ((job, [future.result() for future in stored]) for job, stored in before)
            before = reading

    def _parallel(self, jobs: Iterator[Job]) -> Iterator[tuple[Job, list[Segment]]]:
        free: SimpleQueue[Copier | Helper] = SimpleQueue()
        for member in self.members:
            free.put(member)
        with ThreadPoolExecutor(len(self.members)) as pool:
            running: set[Future[list[tuple[Job, list[Segment]]]]] = set()
            heaps = in_heaps(jobs)
            try:
                while True:
                    while len(running) < len(self.members) and (heap := next(heaps, None)):
                        running.add(pool.submit(_with_member, free, heap))
                    if not running:
                        return
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield from future.result()
            except BaseException:
                for member in self.members:
                    member.close()
                raise


def in_heaps(jobs: Iterator[Job]) -> Iterator[list[Job]]:
    """Small tables go together to whoever is free; how much of a large one comes next is learnt from its last range."""
    heap: list[Job] = []
    for job in jobs:
        if job.size_bytes > SMALL_BYTES:
            yield from filter(None, (heap, [job]))
            heap = []
            continue
        heap.append(job)
        if len(heap) == TOGETHER:
            yield heap
            heap = []
    if heap:
        yield heap


def _with_member(free: SimpleQueue[Copier | Helper], jobs: list[Job]) -> list[tuple[Job, list[Segment]]]:
    member = free.get()
    try:
        return [*zip(jobs, member.copy(jobs), strict=True)]
    finally:
        free.put(member)
