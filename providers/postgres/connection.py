"""Connections to a product database: session mode, pinned settings, errors told in one sentence.

In: a DSN (URL, keywords or `service=name`). Out: a psycopg connection in autocommit whose session settings are pinned,
because they change the text of values and so the digests (PostgreSQL 17, 19.11 Client Connection Defaults).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg import conninfo, errors, sql
from psycopg.pq import TransactionStatus

from providers import outside
from providers.errors import ProviderError
from providers.postgres.driver_errors import explained, first_line
from providers.postgres.identity import Identity, MetDsn, identity

Connection = psycopg.Connection[tuple[Any, ...]]
UNREADABLE = "an unreadable DSN"
SQL_DIR = Path(__file__).resolve().parent.parent / "sql"
PINNED = {
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "xmloption": "content",
    "lc_monetary": "C",
    "lc_numeric": "C",
    "client_encoding": "UTF8",
    "search_path": "pg_catalog, pg_temp",  # named last: a temporary table of a catalogue's name hides nothing
    "row_security": "off",
    "synchronize_seqscans": "off",
    "statement_timeout": "0",
    "lock_timeout": "10s",
    "jit": "off",
    "constraint_exclusion": "partition",  # "on" has the planner run the code of CHECKs
}
READ_BY = """
    SET check_function_bodies = off; SET standard_conforming_strings = on; SET transform_null_equals = off;
    SET array_nulls = on; SET default_tablespace = ''; SET default_table_access_method = heap
"""
OWN_SCHEMAS = """
    SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
      AND has_schema_privilege(oid, 'USAGE') ORDER BY nspname <> 'public', nspname
"""
UNKNOWN_NAME = (errors.UndefinedObject, errors.UndefinedFunction, errors.UndefinedTable, errors.InvalidSchemaName)


@cache
def statements(name: str) -> str:
    """The text of `providers/sql/<name>.sql`."""
    return (SQL_DIR / f"{name}.sql").read_text(encoding="utf-8")


def connect(dsn: str, *, read_only: bool = True, timeout: int = 10) -> Connection:
    """Open one session (autocommit, pinned settings). Raises ProviderError; the password is never in its message.

    A MetDsn's owner hears first who answered; where that raises Refused, nobody gets the session.
    """
    where = address(dsn)
    if where == UNREADABLE:  # what libpq says of it would repeat it, and it may be a secret
        raise ProviderError(
            "What should be a DSN is none. Nothing was read or changed. Set the variable that holds it to "
            "postgresql://role:password@host:5432/database, with special characters percent-encoded."
        )
    try:
        options = {"connect_timeout": timeout, "keepalives_idle": 30, "application_name": "sampelit-ops"}
        with outside.waiting():
            connection = psycopg.connect(dsn, autocommit=True, **options)  # type: ignore[arg-type]
            pin(connection, read_only, idle_in_transaction_session_timeout="0")
            found = identity(connection) if isinstance(dsn, MetDsn) else None
    except psycopg.Error as error:
        raise ProviderError(
            f"The database at {where} did not accept the connection: {first_line(error)} Nothing was read or changed. "
            "Check that it is up and that the variable with its DSN is right.",
            retryable=isinstance(error, psycopg.OperationalError),
        ) from None
    if isinstance(dsn, MetDsn) and found:
        _introduce(dsn, found, connection)
    return connection


def _introduce(dsn: MetDsn, found: Identity, connection: Connection) -> None:
    try:
        dsn.meet(found)
    except BaseException:
        connection.close()
        raise


def pin(connection: Connection, read_only: bool, **more: str) -> None:
    """Set the session's settings for its whole life; a pooler in transaction mode would lose them. How long a
    transaction may be idle is set once: the guard of a writing session shortens it, and pinning anew keeps that."""
    wanted = dict(PINNED, default_transaction_read_only="on" if read_only else "off", **more)
    calls = sql.SQL(", ").join(
        sql.SQL("pg_catalog.set_config({}, {}, false)").format(sql.Literal(name), sql.Literal(value))
        for name, value in wanted.items()
    )
    connection.execute(sql.SQL("SELECT {}").format(calls))


def as_pg_restore(connection: Connection) -> None:
    """What pg_dump's statements are to be read by, whatever the database or the role sets."""
    connection.execute(READ_BY)


@contextmanager
def looking_in(connection: Connection) -> Iterator[None]:
    """Functions that name no schema find what is in all of them; afterwards the system's alone are looked in.

    An error in a transaction ends the block without words: its rollback brings the path back.
    """
    set_path(connection, [str(row[0]) for row in connection.execute(OWN_SCHEMAS)])
    try:
        yield
    finally:
        if not connection.closed and connection.info.transaction_status != TransactionStatus.INERROR:
            set_path(connection)


def set_path(connection: Connection, schemas: Sequence[str] = ()) -> None:
    """Where names without a schema are looked for; without any the system's alone."""
    connection.execute(path_query(schemas))


def path_query(schemas: Sequence[str]) -> sql.Composed:
    path = sql.SQL(", ").join(map(sql.Identifier, [*dict.fromkeys(schemas), "pg_temp"]))
    return sql.SQL("SET search_path = {}").format(path if schemas else sql.SQL(PINNED["search_path"]))


def address(dsn: str) -> str:
    """Host, port and database of a DSN for messages; never the password."""
    try:
        parts = conninfo.conninfo_to_dict(dsn)
    except psycopg.Error:
        return UNREADABLE
    if parts.get("service"):
        return f"service {parts['service']}"
    host, port, name = parts.get("host", "localhost"), str(parts.get("port", 5432)), parts.get("dbname", "")
    if "@" in f"{host}{name}" or not set(port) <= set("0123456789,"):
        return UNREADABLE  # a password with @ or / in it, not encoded: its pieces look like host, port and name
    return f"{host}:{port}/{name}"


def in_full(error: psycopg.Error) -> str:
    """What Postgres said, with which key or object it means, and its hint; never a whole row, which its DETAIL of a
    violated CHECK or NOT NULL repeats."""
    row = isinstance(error, errors.CheckViolation | errors.NotNullViolation)
    more = (None if row else error.diag.message_detail, error.diag.message_hint)
    return " ".join([first_line(error), *(" ".join(text.split())[:300] for text in more if text)])


def fresh_database(connection: Connection, name: str) -> None:
    """Make an empty database for this role alone, dropping one of that name that nobody uses. Raises ProviderError."""
    with explained(f"Making the database {name}"):
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))


def beside(dsn: str, name: str) -> str:
    """The DSN of another database on the same server."""
    return conninfo.make_conninfo(dsn, dbname=name)
