"""COPY out in blocks of about 128 KiB and COPY in, on libpq directly (53.2.6 COPY Operations).

In: a connection, a table and a range, or blocks of bytes. Out: blocks of bytes, or the number of rows loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO
from time import sleep

import psycopg
from psycopg import errors, sql
from psycopg.pq import ExecStatus

from providers.errors import ProviderError
from providers.postgres.connection import Connection
from providers.postgres.copy.snapshot import Range, Since
from providers.postgres.error_facts import advice_for, facts_of, is_of_the_server, own_state
from providers.postgres.schema.model import Name

BLOCK_BYTES = 128 << 10  # read, hashed and compressed before it leaves the core's cache (ADR 6)
PAUSE_SECONDS = 0.001  # 350 KB at the speed of one backend; the socket holds more
FORMATS = {"csv": "FORMAT csv, HEADER true, FORCE_QUOTE *", "binary": "FORMAT binary"}
FORMATS_IN = {"csv": "FORMAT csv, HEADER true", "binary": "FORMAT binary"}


def is_too_long(error: psycopg.Error) -> bool:
    """Whether a value or a row does not fit into a server's buffer: a gigabyte (MaxAllocSize, memutils.h)."""
    text = error.diag.message_primary or str(error)
    return isinstance(error, errors.ProgramLimitExceeded) or "invalid memory alloc request size" in text


def _columns(names: Sequence[str]) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)


def _cut(row: memoryview) -> Iterator[memoryview]:
    return (row[start : start + BLOCK_BYTES] for start in range(0, len(row), BLOCK_BYTES))


class QueryOut:
    """What a COPY … TO STDOUT gives, as blocks, each valid until the next is asked for; `rows` is known after the last.

    Stop early with `close()`.
    """

    def __init__(self, connection: Connection, query: sql.Composed) -> None:
        self.connection, self.query = connection, query
        self.rows = 0
        self._ended = False

    def __iter__(self) -> Iterator[memoryview]:
        pgconn = self.connection.pgconn
        result = pgconn.exec_(self.query.as_bytes(self.connection))
        if result.status != ExecStatus.COPY_OUT:
            raise psycopg.errors.error_from_result(result)
        try:
            yield from self._blocks()
        finally:
            if not self._ended:
                self._drain()
            last = pgconn.get_result()
            while pgconn.get_result() is not None:
                pass
        if last is not None and last.status == ExecStatus.FATAL_ERROR:
            raise psycopg.errors.error_from_result(last)
        self.rows = (last.command_tuples or 0) if last is not None else 0

    def _blocks(self) -> Iterator[memoryview]:
        """Never waits inside libpq: it wakes both sides for every 8 KB. A dry socket is left to fill for a moment."""
        get, receive = self.connection.pgconn.get_copy_data, self.connection.pgconn.consume_input
        buffer = BytesIO(bytes(BLOCK_BYTES))
        append, held, dry = buffer.write, 0, False
        while True:
            size, data = get(1)
            if size > 0:
                if held + size > BLOCK_BYTES and held:
                    with buffer.getbuffer() as whole, whole[:held] as block:
                        yield block
                    buffer.seek(0)
                    held = 0
                if size > BLOCK_BYTES:
                    yield from _cut(data)
                else:
                    append(data)
                    held += size
                del data  # a long row is not held while the next one comes
                dry = False
            elif size < 0:
                break
            else:
                if dry:
                    sleep(PAUSE_SECONDS)
                receive()
                dry = True
        self._ended = True  # whoever stops at the last block must not wait for a COPY that is over
        if held:
            with buffer.getbuffer() as whole, whole[:held] as block:
                yield block
        if size == -2:
            raise psycopg.OperationalError("the connection was lost during COPY")

    def _drain(self) -> None:
        """Stop a COPY in the middle, so that the connection can be used again."""
        self.connection.cancel_safe(timeout=5)
        try:
            while self.connection.pgconn.get_copy_data(0)[0] > 0:
                pass
        except psycopg.OperationalError:  # the server answered the cancel with an error, or the connection is gone
            pass


class CopyOut(QueryOut):
    """One part of a table."""

    def __init__(
        self, connection: Connection, table: tuple[str, str], columns: Sequence[str], part: Range | Since, fmt: str
    ) -> None:
        query = sql.SQL("COPY (SELECT {} FROM ONLY {} WHERE {}) TO STDOUT ({})").format(
            _columns(columns), sql.Identifier(*table), part.where(), sql.SQL(FORMATS[fmt])
        )
        super().__init__(connection, query)


def table_out(table: Name, columns: Sequence[str], fmt: str) -> sql.Composed:
    """COPY of the table itself, which nothing plans."""
    listed = sql.SQL("({})").format(_columns(columns)) if columns else sql.SQL("")
    return sql.SQL("COPY {} {} TO STDOUT ({})").format(sql.Identifier(*table), listed, sql.SQL(FORMATS[fmt]))


def copy_in(
    connection: Connection,
    table: tuple[str, str],
    columns: Sequence[str],
    fmt: str,
    blocks: Iterable[bytes | memoryview],
) -> int:
    """Load one COPY stream; answers its rows. Raises ProviderError naming the table; the caller rolls back.

    It is retryable where the server could not go on, whatever the rows."""
    listed = sql.SQL("({})").format(_columns(columns)) if columns else sql.SQL("")
    query = sql.SQL("COPY {} {} FROM STDIN ({})").format(sql.Identifier(*table), listed, sql.SQL(FORMATS_IN[fmt]))
    cursor = connection.cursor()
    try:
        with cursor.copy(query) as copy:
            for block in blocks:
                copy.write(block)
    except psycopg.Error as error:
        said = f"Loading {'.'.join(table)} stopped: {facts_of(error, {*table, *columns})}. The load was rolled back."
        raise ProviderError(said + advice_for(error), is_of_the_server(error), own_state(error)) from None
    return cursor.rowcount


@contextmanager
def unlogged(connection: Connection, table: tuple[str, str]) -> Iterator[None]:
    """Rows that the block brings into an empty table: where wal_level is minimal no log is kept of what was emptied by
    the same transaction (19.5.1 Write Ahead Log Settings). A role that may not empty it brings them as ever."""
    with connection.transaction():
        with suppress(errors.InsufficientPrivilege), connection.transaction():
            connection.execute(sql.SQL("TRUNCATE ONLY {}").format(sql.Identifier(*table)))
        yield
