"""Facts about a session and what they forbid, before a byte is copied. In: a connection. Out: Facts and sentences."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
from psycopg import conninfo, errors

from providers.postgres.connection import Connection, statements
from providers.postgres.schema.model import Table

OLDEST_VERSION = 150000  # the catalogues that a fingerprint reads
ALLOWED_SKEW_SECONDS = 120
POOLER_PORT = 6543
Another = Callable[[Connection], AbstractContextManager[None]]


@dataclass(frozen=True)
class Facts:
    """`system_identifier` is empty where the role may not read it (some managed services)."""

    database: str
    role: str
    version: int
    server_version: str
    system_identifier: str
    timeline: int
    session_mode: bool
    statement_timeout: str
    row_security: str
    encoding: str
    skew_seconds: float


def facts(connection: Connection) -> Facts:
    """Ask the server who and what it is. Raises psycopg.Error when it does not answer."""
    row = connection.execute(statements("facts")).fetchone()
    assert row is not None  # noqa: S101 - one SELECT without FROM always answers one row
    database, role, version, server_version, timeout, row_security, encoding, now = row
    identifier, timeline = _identity(connection)
    return Facts(
        database=database,
        role=role,
        version=int(version),
        server_version=server_version,
        system_identifier=identifier,
        timeline=timeline,
        session_mode=_session_mode(connection),
        statement_timeout=timeout,
        row_security=row_security,
        encoding=encoding,
        skew_seconds=(datetime.now(UTC) - now).total_seconds(),
    )


def _identity(connection: Connection) -> tuple[str, int]:
    try:
        row = connection.execute(statements("identity")).fetchone()
    except errors.InsufficientPrivilege:
        return "", 0
    return (str(row[0]), int(row[1])) if row else ("", 0)


@contextmanager
def _another(connection: Connection) -> Iterator[None]:
    """Another session of the same address keeps a transaction open: an idle pool hides that it is one.

    The server ends it soon, should the pool have this one backend only, for which our next statement would wait.
    """
    info = connection.info
    try:
        other = psycopg.connect(conninfo.make_conninfo(info.dsn, password=info.password), connect_timeout=5)
    except psycopg.Error:  # no room for one more: then two statements in a row must tell
        yield
        return
    with closing(other):
        other.execute("SET LOCAL idle_in_transaction_session_timeout = '3s'")
        yield


def _session_mode(connection: Connection, another: Another = _another) -> bool:
    """Two transactions must meet the same backend and find a session setting again; transaction poolers break both.

    What this session had set on a pool's backends is taken back, because others' statements would find it there.
    """
    token = secrets.token_hex(8)
    first = connection.execute("SELECT pg_backend_pid(), set_config('sampelit.probe', %s, false)", [token]).fetchone()
    ask = "SELECT pg_backend_pid(), current_setting('sampelit.probe', true)"
    with another(connection):
        second = connection.execute(ask).fetchone()
        if first != second:
            connection.execute("RESET ALL")
    if first != second:
        connection.execute("RESET ALL")
    return connection.info.port != POOLER_PORT and first == second


def problems(facts: Facts, last_identity: str = "", last_timeline: int = 0) -> list[str]:
    """Why this session cannot make a trustworthy copy; empty when it can."""
    checks = [
        (
            facts.session_mode,
            "The DSN leads to a pooler in transaction mode. Use the session pooler (port 5432) or the host.",
        ),
        (
            facts.version >= OLDEST_VERSION,
            f"PostgreSQL {facts.server_version} is too old. Version 15 or newer is needed.",
        ),
        (
            facts.statement_timeout == "0",
            "statement_timeout cannot be switched off. ALTER ROLE … SET statement_timeout = 0.",
        ),
        (facts.row_security == "off", "row_security cannot be switched off for this session."),
        (facts.encoding == "UTF8", f"The database's encoding is {facts.encoding}. Only UTF8 is supported."),
        (
            abs(facts.skew_seconds) <= ALLOWED_SKEW_SECONDS,
            f"The clocks differ by {facts.skew_seconds:.0f} s. Correct this machine's clock.",
        ),
        (
            last_identity in ("", facts.system_identifier),
            "This is another database than the last run's (its system identifier differs). "
            "Check the DSN; after a planned move, choose Accept another database on the policy.",
        ),
        (
            not facts.timeline or last_timeline <= facts.timeline,
            f"The database's timeline is {facts.timeline}, the last run's was {last_timeline}: this is an older copy. "
            "Check the DSN; after a planned return to it, choose Accept another database on the policy.",
        ),
    ]
    return [text for holds, text in checks if not holds]


def timeline_note(timeline: int, last_timeline: int) -> str:
    """What a grown timeline means (25.3.5 Timelines: every promotion and every recovery begins one)."""
    if not timeline or not last_timeline or timeline <= last_timeline:
        return ""
    return (
        f"The database's timeline went from {last_timeline} to {timeline} since the last proven run: it failed over or "
        "was recovered to a point in time, so rows of that run may be gone. Compare this run with the one before."
    )


def table_problems(connection: Connection, tables: Sequence[Table]) -> list[str]:
    """Tables that this role cannot read, or of which row-level security would hide rows."""
    rows = connection.execute(statements("readable"), {"oids": [table.oid for table in tables]})
    texts = []
    for name, readable, hidden, role in rows:
        if not readable:
            texts.append(f"Role {role} may not read {name}. GRANT SELECT on it (and USAGE on its schema) to the role.")
        elif hidden:
            texts.append(
                f"Row-level security hides rows of {name} from role {role}. "
                "Run ALTER ROLE … BYPASSRLS, or use a role that has it."
            )
    return texts
