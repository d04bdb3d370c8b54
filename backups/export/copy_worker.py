"""Copies ranges of tables into a store, inside an imported snapshot; also runs as a process of its own.

In: jobs (from the export, or as JSON lines on standard input; the DSN from the environment). Out: Segments.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import Any

import psycopg

from backups.archive.manifest import Segment
from backups.archive.segment_codec import Packed, TooLarge, pack
from backups.export.copy_job import Job, Setting, job_from
from providers import bounded_json, postgres
from providers.errors import ProviderError
from providers.postgres import Evidence, Range
from providers.postgres.connection import UNKNOWN_NAME, looking_in
from providers.postgres.copy.stream import QueryOut, is_too_long, table_out
from providers.postgres.copy.unplanned import FORMAT, of_stream
from providers.storage.base import Store
from providers.storage.factory import open_store

TABLES_HELD = 100  # a transaction keeps the lock of every table and index that it read
DSN_VARIABLE = "SAMPELIT_OPS_COPIER_DSN"


class Copier:
    """One connection that sees the run's snapshot; with `ahead` it reads on while a segment is stored."""

    def __init__(self, dsn: str, setting: Setting, store: Store | None = None, ahead: bool = False) -> None:
        self.setting = setting
        self.store = store or open_store(setting.store_url)
        self.connection = postgres.connect(dsn)
        self._storing = ThreadPoolExecutor(1, thread_name_prefix="storing") if ahead else None
        self._last: Future[Segment] | None = None
        self._begin()

    def _begin(self) -> None:
        self._read_from: set[tuple[str, str]] = set()
        with postgres.explained("Joining the run's snapshot"):
            postgres.import_snapshot(self.connection, self.setting.snapshot)

    def close(self) -> None:
        if self._storing:
            self._storing.shutdown(cancel_futures=True)
        self.connection.close()

    def copy(self, job: Job) -> list[Segment]:
        """Store one range as one segment, or as several when it is too large. Raises ProviderError."""
        return [future.result() for future in self.begin(job)]

    def begin(self, job: Job, part: Range | None = None) -> list[Future[Segment]]:
        """Read one range; its last segment may be stored while the caller goes on. Raises ProviderError."""
        part = part or job.range
        if len(self._read_from) == TABLES_HELD:
            self._begin_again()
        self._read_from.add((job.schema, job.name))
        try:
            return [self._read_looking_around(job, part)]
        except TooLarge:
            otherwise = self._in_halves
        except psycopg.Error as error:
            if not is_too_long(error):
                raise postgres.explain(error, f"Copying {job.schema}.{job.name}") from None
            otherwise = self._as_binary
        self._begin_again()  # out here what the failed reading held is gone
        return otherwise(job, part)

    def _in_halves(self, job: Job, part: Range) -> list[Future[Segment]]:
        halves = part.halves(job.pages)
        if halves is None:
            return [self._read_looking_around(job, part, cap=sys.maxsize)]
        return [future for half in halves for future in self.begin(job, half)]

    def _as_binary(self, job: Job, part: Range) -> list[Future[Segment]]:
        """A row is longer than the server prints, while its bytes may be sent: this range goes as they are."""
        if job.format == "binary" or not job.binary_io:
            raise ProviderError(
                f"{job.schema}.{job.name} has a row longer than the gigabyte that PostgreSQL sends at once, so no dump "
                "holds it. The run was not stored. Shorten its values, or keep the largest as a large object."
            )
        return self.begin(replace(job, format="binary"), part)

    def _begin_again(self) -> None:
        self.connection.execute("ROLLBACK")
        self._begin()

    def _read_looking_around(self, job: Job, part: Range, cap: int | None = None) -> Future[Segment]:
        """The planner looks into the functions of a table's indexes, and they may name no schema."""
        try:
            return self._read(job, part, cap)
        except UNKNOWN_NAME:
            self._begin_again()
            with looking_in(self.connection):
                return self._read(job, part, cap)

    def _read(self, job: Job, part: Range, cap: int | None = None) -> Future[Segment]:
        names = [name for name, _ in job.columns]
        if job.unplanned:
            return self._read_unplanned(job, part, names)
        stream = postgres.CopyOut(self.connection, (job.schema, job.name), names, part, job.format)
        packed = pack(stream, self.setting.recipients, cap)
        evidence = self._evidence(job, part, stream.rows)
        if evidence.rows != stream.rows:
            raise ProviderError(
                f"{job.schema}.{job.name} gave {stream.rows} rows, but its snapshot has {evidence.rows}."
            )
        return self._keep(job, part, packed, evidence)

    def _read_unplanned(self, job: Job, part: Range, names: Sequence[str]) -> Future[Segment]:
        """In one piece, as COPY cuts nothing; its evidence is that of its bytes."""
        stream = QueryOut(self.connection, table_out((job.schema, job.name), names, FORMAT))
        packed = pack(stream, self.setting.recipients, sys.maxsize)
        return self._keep(job, part, packed, of_stream(stream.rows, packed.raw_sha256))

    def _keep(self, job: Job, part: Range, packed: Packed, evidence: Evidence) -> Future[Segment]:
        """Store it here and now, or in the thread: at most one segment waits there, so that memory stays bounded."""
        if self._storing is None:
            done: Future[Segment] = Future()
            done.set_result(self._put(job, part, packed, evidence))
            return done
        if self._last is not None:
            self._last.result()
        self._last = self._storing.submit(self._put, job, part, packed, evidence)
        return self._last

    def _evidence(self, job: Job, part: Range, rows: int) -> Evidence:
        if not self.setting.evidence:
            return Evidence(rows, "0")
        columns = [postgres.Column(name, "", hashed_as=hashed_as) for name, hashed_as in job.columns]
        return postgres.evidence(self.connection, (job.schema, job.name), columns, part)

    def _put(self, job: Job, part: Range, packed: Packed, evidence: Evidence) -> Segment:
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


def main(lines: Sequence[str] | Any = sys.stdin) -> int:
    """First line: the Setting; then one Job a line, answered by one line of segments or of an error."""
    copier: Copier | None = None
    for line in lines:
        values = bounded_json.loads(line)
        try:
            if copier is None:
                setting = Setting(**{**values, "recipients": tuple(values["recipients"])})
                copier = Copier(os.environ.pop(DSN_VARIABLE), setting)
                answer: dict[str, Any] = {"ready": True}
            else:
                answer = {"segments": [asdict(segment) for segment in copier.copy(job_from(values))]}
        except ProviderError as error:
            answer = {"error": error.message, "retryable": error.retryable}
        print(json.dumps(answer), flush=True)
        if "error" in answer:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
