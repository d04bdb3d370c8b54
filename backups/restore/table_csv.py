"""One table of a run as one CSV stream, whatever format it is stored in.

In: a manifest, a store, identities, a table's name. Out: blocks of CSV with a header; every object is checked before
the first block. Binary segments are loaded into a throwaway server, because only Postgres reads every type.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from threading import BoundedSemaphore

import psycopg

from backups import disk_space
from backups.archive.drill_database import Server, drill_database
from backups.archive.loader import Loader
from backups.archive.manifest import Manifest, Table
from backups.archive.reader import segment_problem
from backups.archive.segment_codec import Damaged, unpack
from backups.archive.subset import narrowed
from backups.progress import SILENT
from providers import postgres
from providers.errors import ProviderError, Refused
from providers.postgres.copy.stream import is_too_long
from providers.postgres.error_facts import explain_load
from providers.storage.base import Store

ONE_AT_A_TIME = BoundedSemaphore()  # each needs a server and 2.5 times the rows' disk: reloads would fill the machine


def wanted(manifest: Manifest, name: str, identities: Sequence[str]) -> Table:
    """The table of that name ("name" means public). Raises Refused when it is not there or nobody here can open it."""
    (table,) = narrowed(manifest, (name,)).tables
    if any(segment.encrypted for segment in table.segments) and not identities:
        raise Refused(
            f"{name} is encrypted and this process holds no private key, by design. Nothing was sent. "
            "Restore this table into scratch, run `sampelit-ops table_csv` where the key is, or open the segments "
            "with `age -d`."
        )
    return table


def csv_of(
    manifest: Manifest, table: Table, store: Store, identities: Sequence[str], server: Server | None = None
) -> Generator[bytes]:
    """Check now, and load what has to be converted; read while iterated.

    Raises Refused naming damaged objects or while another table is converted, ProviderError without room.
    """
    problems = [problem for segment in table.segments if (problem := segment_problem(store, segment, (), deep=False))]
    if problems:
        raise Refused(f"{manifest.name} is damaged; nothing was sent. {' '.join(problems[:5])}")
    if table.formats == {"csv"} and table.segments:
        return _joined(table, store, identities)
    part = narrowed(manifest, (table.qualified,))
    disk_space.refuse_without(table.raw_bytes, f"{table.qualified} was not sent.")
    blocks = _converted(part, table, store, identities, server)
    next(blocks)
    return blocks


def _joined(table: Table, store: Store, identities: Sequence[str]) -> Generator[bytes]:
    """The segments as they are; each after the first without its header, which is as long as the first one's."""
    header = 0
    for segment in table.segments:
        skip = header
        try:
            for block in unpack(store.get(segment.key), segment, identities):
                header = header or _header_bytes(block)
                yield block[skip:]
                skip = max(0, skip - len(block))
        except Damaged as error:
            raise ProviderError(f"{error}.") from None


def _header_bytes(block: bytes) -> int:
    """The first line's length; a quoted column name may hold line ends."""
    end = block.index(b"\n")
    while block.count(b'"', 0, end) % 2:
        end = block.index(b"\n", end + 1)
    return end + 1


def _converted(
    part: Manifest, table: Table, store: Store, identities: Sequence[str], server: Server | None
) -> Generator[bytes]:
    """Nothing, once the table is loaded; then its blocks. The server lives until the last one, or `close()`."""
    if not ONE_AT_A_TIME.acquire(blocking=False):
        raise Refused(
            f"Another table is being converted on this machine. {table.qualified} was not sent. Try again when that "
            "is done, or run `sampelit-ops table_csv`."
        )
    try:
        with drill_database(part, server) as drill:
            try:
                _load(Loader(part, store, drill.connection, identities, SILENT, apart=True), table)
                yield b""
                names = [column.name for column in table.columns]
                for block in postgres.CopyOut(
                    drill.connection, (table.schema, table.name), names, postgres.Range(), "csv"
                ):
                    yield bytes(block)
            except psycopg.Error as error:
                if is_too_long(error):
                    raise ProviderError(
                        f"{table.qualified} has a row longer than PostgreSQL prints, so it cannot be CSV and "
                        "what was sent is not whole. Restore the table instead."
                    ) from None
                raise explain_load(error, f"Writing {table.qualified} as CSV") from None
    finally:
        ONE_AT_A_TIME.release()


def _load(loader: Loader, table: Table) -> None:
    loader.build("before")
    loader.load(table)
    if loader.problems:
        raise ProviderError("The table could not be read; nothing was sent. " + " ".join(loader.problems[:5]))
