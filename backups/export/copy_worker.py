"""Copies ranges of tables into a store, inside an imported snapshot; also runs as a process of its own.

In: jobs (from the export, or as JSON lines on standard input; the DSN from the environment). Out: Segments.
"""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import sql

from backups.archive.manifest import Segment
from backups.archive.segment_codec import Packed, TooLarge, pack
from backups.export.copy_job import Job, Setting, job_from
from providers import bounded_json, postgres
from providers.errors import ProviderError
from providers.postgres import Evidence, Range
from providers.postgres.connection import UNKNOWN_NAME, looking_in
from providers.postgres.copy.row_digests import evidence_query, next_evidence
from providers.postgres.copy.stream import QueryOut, is_too_long, sent_together, table_out
from providers.postgres.copy.unplanned import of_stream
from providers.storage.base import Store
from providers.storage.factory import open_store

STORING, WAITING_BYTES = 8, 1 << 20  # many small objects wait for a disk or a network at once, not one after the other
DSN_VARIABLE = "SAMPELIT_OPS_COPIER_DSN"
Stored = list[Future[Segment]]  # one a segment of one job


class Copier:
    """One connection that sees the run's snapshot; with `ahead` it reads on while a large segment is stored."""

    def __init__(self, dsn: str, setting: Setting, store: Store | None = None, ahead: bool = False) -> None:
        self.setting, self.ahead = setting, ahead
        self.store = store or open_store(setting.store_url)
        self.connection = postgres.connect(dsn)
        self._storing = ThreadPoolExecutor(STORING, thread_name_prefix="storing")
        self._waiting: deque[tuple[int, Future[Segment]]] = deque()
        self._join()

    def _join(self) -> None:
        with postgres.explained("Joining the run's snapshot"):
            postgres.import_snapshot(self.connection, self.setting.snapshot)

    def close(self) -> None:
        self._storing.shutdown(cancel_futures=True)
        self.connection.close()

    def copy(self, jobs: Sequence[Job]) -> list[list[Segment]]:
        """Store each range as one segment, or as several when it is too large. Raises ProviderError."""
        return [[future.result() for future in stored] for stored in self.begin(jobs)]

    def begin(self, jobs: Sequence[Job], cap: int | None = None, looking: bool = False) -> list[Stored]:
        """Ask for all these ranges at once and read them; segments may be stored while the caller goes on. The one that
        fails is tried in another way, and the others are asked for again. Raises ProviderError."""
        if not jobs:
            return []
        self._join()
        read: list[Stored] = []
        try:
            with looking_in(self.connection) if looking else nullcontext():
                self._read(jobs, cap, read)
            return read
        except TooLarge:
            otherwise = self._in_halves
        except psycopg.Error as error:
            job = jobs[min(len(read), len(jobs) - 1)]
            if isinstance(error, UNKNOWN_NAME) and not looking:
                otherwise = self._looking_around
            elif is_too_long(error):
                otherwise = self._as_binary
            else:
                raise postgres.explain(error, f"Copying {job.schema}.{job.name}") from None
        # out here what the failed reading held is gone
        return [*read, otherwise(jobs[len(read)]), *self.begin(jobs[len(read) + 1 :])]

    def _looking_around(self, job: Job) -> Stored:
        """The planner looks into the functions of a table's indexes, and they may name no schema."""
        return _all(self.begin([job], looking=True))

    def _in_halves(self, job: Job) -> Stored:
        return _all(self.begin(job.halves()) or self.begin([job], cap=sys.maxsize))

    def _as_binary(self, job: Job) -> Stored:
        """A row is longer than the server prints, while its bytes may be sent: this range goes as they are."""
        if job.format == "binary" or not job.binary_io:
            raise ProviderError(
                f"{job.schema}.{job.name} has a row longer than the gigabyte that PostgreSQL sends at once, so no dump "
                "holds it. The run was not stored. Shorten its values, or keep the largest as a large object."
            )
        return _all(self.begin([replace(job, format="binary")]))

    def _read(self, jobs: Sequence[Job], cap: int | None, read: list[Stored]) -> None:
        asked = [(job, self._stream(job), self._evidence_query(job)) for job in jobs]
        with sent_together(self.connection, [each for _, *both in asked for each in both if each]):
            for job, stream, query in asked:
                read.append([self._read_one(job, cap, stream, query)])

    def _read_one(self, job: Job, cap: int | None, stream: QueryOut, query: sql.Composed | None) -> Future[Segment]:
        packed = pack(stream, self.setting.recipients, sys.maxsize if job.unplanned else cap)
        evidence = of_stream(stream.rows, packed.raw_sha256) if job.unplanned else Evidence(stream.rows, "0")
        if query:
            evidence = next_evidence(self.connection)
        if evidence.rows != stream.rows:
            raise ProviderError(
                f"{job.schema}.{job.name} gave {stream.rows} rows, but its snapshot has {evidence.rows}."
            )
        return self._keep(job, packed, evidence)

    def _stream(self, job: Job) -> QueryOut:
        """A whole table needs no query, which would have to be planned; one that none is planned on comes whole."""
        table, names = (job.schema, job.name), [name for name, _ in job.columns]
        if job.range == Range():
            return QueryOut(self.connection, table_out(table, names, job.format))
        return postgres.CopyOut(self.connection, table, names, job.range, job.format)

    def _evidence_query(self, job: Job) -> sql.Composed | None:
        """None: of its bytes, as no query reads it, or because none is wanted."""
        if job.unplanned or not self.setting.evidence:
            return None
        columns = [postgres.Column(name, "", hashed_as=hashed_as) for name, hashed_as in job.columns]
        return evidence_query((job.schema, job.name), columns, job.range)

    def _keep(self, job: Job, packed: Packed, evidence: Evidence) -> Future[Segment]:
        """Store it in a thread. Few bytes wait there, or with `ahead` one large segment, so that memory is bounded."""
        self._wait_for_all_but(WAITING_BYTES)
        stored = self._storing.submit(self._put, job, packed, evidence)
        self._waiting.append((len(packed.data), stored))
        if not self.ahead:
            self._wait_for_all_but(WAITING_BYTES)
        return stored

    def _wait_for_all_but(self, most: int) -> None:
        while self._waiting and (self._waiting[0][1].done() or sum(size for size, _ in self._waiting) > most):
            self._waiting.popleft()[1].result()

    def _put(self, job: Job, packed: Packed, evidence: Evidence) -> Segment:
        part = job.range
        name = f"{part.start.page:010d}-{part.start.row:03d}.{job.format}.zst"
        key = f"{job.directory}{name}{'.age' if self.setting.recipients else ''}"
        return Segment(
            key=key,
            start=str(part.start),
            end=str(part.end or ""),
            rows=evidence.rows,
            digest=evidence.digest,
            raw_bytes=packed.raw_bytes,
            raw_sha256=packed.raw_sha256,
            stored_bytes=len(packed.data),
            stored_sha256=self.store.put_once(key, packed.data).sha256,
            encrypted=bool(self.setting.recipients),
        )


def _all(parts: Sequence[Stored]) -> Stored:
    return [future for stored in parts for future in stored]


def main(lines: Sequence[str] | Any = sys.stdin) -> int:
    """First line: the Setting; then some Jobs a line, answered by one line of the segments of each or of an error."""
    copier: Copier | None = None
    for line in lines:
        values = bounded_json.loads(line)
        try:
            if copier is None:
                setting = Setting(**{**values, "recipients": tuple(values["recipients"])})
                copier = Copier(os.environ.pop(DSN_VARIABLE), setting)
                answer: dict[str, Any] = {"ready": True}
            else:
                parts = copier.copy([job_from(each) for each in values["jobs"]])
                answer = {"segments": [[vars(segment) for segment in part] for part in parts]}
        except ProviderError as error:
            answer = {"error": error.message, "retryable": error.retryable}
        print(json.dumps(answer), flush=True)
        if "error" in answer:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
