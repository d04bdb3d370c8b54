"""COPY out in blocks of about 128 KiB and COPY in, on libpq directly (53.2.6 COPY Operations).

In: a connection, a table and a range, or blocks of bytes. Out: blocks of bytes, or the number of rows loaded.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO
from time import sleep

import psycopg
from psycopg import errors, generators, sql, waiting
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

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
        self.sent = False

    def __iter__(self) -> Generator[memoryview]:
        if not self.sent:
            with sent_together(self.connection, [self]):
                yield from self
            return
        _answer(self.connection, ExecStatus.COPY_OUT)
        yield from self._blocks()
        self.rows = _answer(self.connection, ExecStatus.COMMAND_OK).command_tuples or 0

    def _blocks(self) -> Iterator[memoryview]:
        """Never waits inside libpq: it wakes both sides for every 8 KB. A dry socket is left to fill for a moment."""
        get, receive = self.connection.pgconn.get_copy_data, self.connection.pgconn.consume_input
        buffer = BytesIO()
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
        if held:
            with buffer.getbuffer() as whole, whole[:held] as block:
                yield block
        if size == -2:
            raise psycopg.OperationalError("the connection was lost during COPY")


class CopyOut(QueryOut):
    """One part of a table."""

    def __init__(
        self, connection: Connection, table: tuple[str, str], columns: Sequence[str], part: Range | Since, fmt: str
    ) -> None:
        query = sql.SQL("COPY (SELECT {} FROM ONLY {} WHERE {}) TO STDOUT ({})").format(
            _columns(columns), sql.Identifier(*table), part.where(), sql.SQL(FORMATS[fmt])
        )
        super().__init__(connection, query)


@contextmanager
def sent_together(connection: Connection, questions: Sequence[QueryOut | sql.Composed]) -> Iterator[None]:
    """Ask all of them in one message; inside of the block each is answered in its turn, by its blocks or by `next_row`.

    What is left at the end is stopped, so that the connection can be used again. After an error nothing else was done.
    """
    queries = []
    for each in questions:
        if isinstance(each, QueryOut):
            each.sent = True
        queries.append((each.query if isinstance(each, QueryOut) else each).as_bytes(connection))
    pgconn = connection.pgconn
    pgconn.send_query(b";".join(queries))
    waiting.wait(generators.send(pgconn), pgconn.socket)
    try:
        yield
    except psycopg.Error:  # the server has stopped by itself
        raise
    except BaseException:
        connection.cancel_safe(timeout=5)
        raise
    finally:
        with suppress(psycopg.OperationalError):  # the answer to the cancel, or the connection is gone
            while (left := pgconn.get_result()) is not None:
                while left.status == ExecStatus.COPY_OUT and pgconn.get_copy_data(0)[0] > 0:
                    pass


def _answer(connection: Connection, status: ExecStatus) -> PGresult:
    pgconn = connection.pgconn
    result = waiting.wait(generators.fetch(pgconn), pgconn.socket)
    assert result is not None  # noqa: S101 - there is one for each question
    if result.status != status:
        raise psycopg.errors.error_from_result(result)
    return result


def next_row(connection: Connection) -> list[bytes]:
    """The values of the one row, as text, that answers a SELECT of those that were sent together."""
    result = _answer(connection, ExecStatus.TUPLES_OK)
    return [result.get_value(0, column) or b"" for column in range(result.nfields)]


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
