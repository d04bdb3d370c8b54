"""What a server does when it runs a text, and what the analysis says of it, in the same words.

In: a session, SQL. Out: `lock`, the strongest that the text takes on what existed before and can be read; whether it
writes a table or materialized view anew; whether it reads one of them whole. REFUSED: this version has no such text.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import psycopg
from psycopg import sql

from migrations_registry.analysis import analyse
from migrations_registry.analysis.facts import CatalogFacts
from migrations_registry.analysis.model import AS, AX, SH, STRENGTH, SUE
from migrations_registry.analysis.parsing.parser import Raw, parse
from providers.embedded_postgres.server import EmbeddedPostgres

LOCK_NAMES = {f"{''.join(word.title() for word in lock.split())}Lock": lock for lock in STRENGTH}
KINDS = (
    "SELECT oid, relkind IN ('r', 'm'), pg_relation_filenode(oid) FROM pg_class WHERE relkind NOT IN ('c', 't') AND "
    "(relnamespace >= 16384 OR relnamespace = 2200)"
)
SCANS = (
    "SELECT relid, pg_stat_get_xact_numscans(relid), pg_stat_get_xact_tuples_returned(relid) FROM pg_stat_user_tables"
)
FILLED = "SELECT oid FROM pg_class WHERE reltuples > 0"
HELD = "SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND granted AND relation IS NOT NULL"
ASKED = "SELECT relation, mode FROM pg_locks WHERE pid = %s AND relation IS NOT NULL AND mode <> 'AccessShareLock'"
WAITS = "SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted AND relation IS NOT NULL"
PROOF_SCHEMA = Path(__file__).parents[1] / "proof_schema.sql"
REFUSALS = (psycopg.errors.SyntaxError, psycopg.errors.FeatureNotSupported, psycopg.errors.WrongObjectType)
TABLES = "orders, events, lines"
ROLES = ("anon", "authenticated", "service_role")


class Cost(NamedTuple):
    """As `str` writes it into the table."""

    lock: str | None
    rewrite: bool = False
    scan: bool = False

    def __str__(self) -> str:
        return f"{self.lock or '-'}{', rewrite' * self.rewrite}{', scan' * self.scan}"

    @property
    def felt(self) -> Cost:
        """What others feel of it: readers keep nobody away, and who reads while all others work is not noticed."""
        strength = STRENGTH.get(self.lock or "", -1)
        return Cost(
            self.lock if strength > STRENGTH[AS] else None, self.rewrite, self.scan and strength >= STRENGTH[SH]
        )


REFUSED = "refused"


def read(text: str) -> Cost:
    """What `str` wrote."""
    lock, *more = text.split(", ")
    return Cost(None if lock == "-" else lock, "rewrite" in more, "scan" in more)


def pieces(text: str) -> list[Raw]:
    """Its statements without BEGIN and COMMIT."""
    return [piece for piece in parse(text.encode()) if isinstance(piece, Raw) and piece.kind != "TransactionStmt"]


def claimed(text: str, facts: CatalogFacts | None, version: int) -> Cost:
    """What the analysis says of the whole text."""
    analysis = analyse(text.encode(), pg_version=version, facts=facts)
    locks = [statement.lock for statement in analysis.statements if statement.lock]
    found = analysis.findings
    strongest = max(locks, key=STRENGTH.__getitem__, default=None)
    return Cost(strongest, any(each.rewrite for each in found), any(each.scan for each in found))


def measured(server: EmbeddedPostgres, name: str, text: str) -> str:
    """In a transaction that is rolled back, or on a copy of the database where it has to run alone."""
    try:
        if is_alone(text):
            with copied(server, name) as dsn:
                try:
                    return str(alone(dsn, text))
                finally:
                    _make_shared(server)
        with psycopg.connect(server.dsn(name)) as connection:
            cost = inside(connection, text)
            connection.rollback()
        return str(cost)
    except REFUSALS:
        return REFUSED


def is_alone(text: str) -> bool:
    return not all(each.transactional for each in analyse(text.encode()).statements)


def inside(connection: psycopg.Connection, text: str) -> Cost:
    """Every statement of it in one transaction, which stays open."""
    data = text.encode()
    connection.execute("SET LOCAL enable_seqscan = off")  # small tables are read by their index, as large ones are
    files, known = _files(connection)
    scans = {oid: counts for oid, *counts in connection.execute(SCANS)}
    filled = {oid for (oid,) in connection.execute(FILLED)}
    for piece in pieces(text):
        connection.execute(data[piece.start : piece.end])
    held = [LOCK_NAMES[mode] for relation, mode in connection.execute(HELD) if relation in known]
    read = False
    for oid, count, rows in connection.execute(SCANS):
        before, rows_before = scans.get(oid, (0, 0))
        read |= oid in known and count > before and (rows > rows_before or oid not in filled)
    return Cost(max(held, key=STRENGTH.__getitem__, default=None), _is_anew(files, connection), read)


def alone(dsn: str, text: str) -> Cost:
    """Outside of transactions: its locks are seen while it waits for somebody who is in its way, first weakly."""
    with psycopg.connect(dsn, autocommit=True) as watcher:
        files, known = _files(watcher)
        seen = _waits_for(dsn, watcher, text, known)
        return Cost(max(seen, key=STRENGTH.__getitem__, default=None), _is_anew(files, watcher))


def _waits_for(dsn: str, watcher: psycopg.Connection, text: str, known: set[int]) -> list[str]:
    """Whoever reads is in the way of ACCESS EXCLUSIVE alone; SHARE UPDATE EXCLUSIVE is in the way of all others."""
    mode = AS if claimed(text, None, 17).lock == AX else SUE
    with psycopg.connect(dsn) as blocker, psycopg.connect(dsn, autocommit=True) as worker:
        blocker.execute(sql.SQL("LOCK TABLE {} IN {} MODE").format(sql.SQL(TABLES), sql.SQL(mode)))
        worker.execute("SET lock_timeout = '20s'")
        pid = worker.info.backend_pid
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(worker.execute, text.encode())
            while not running.done() and not watcher.execute(WAITS, [pid]).fetchone():
                pass
            held = [LOCK_NAMES[mode] for relation, mode in watcher.execute(ASKED, [pid]) if relation in known]
            blocker.rollback()
            running.result()
    return held


def _files(connection: psycopg.Connection) -> tuple[dict[int, int], set[int]]:
    """The files of what holds rows, and every relation that there is."""
    rows = connection.execute(KINDS).fetchall()
    return {oid: node for oid, stored, node in rows if stored}, {oid for oid, *_ in rows}


def _is_anew(before: dict[int, int], connection: psycopg.Connection) -> bool:
    after, _ = _files(connection)
    return any(oid in after and after[oid] != node for oid, node in before.items())


@contextmanager
def proof_database(server: EmbeddedPostgres, owner: str = "postgres") -> Iterator[str]:
    """A scratch database in which every text can run; gone after the block. All of it is `owner`'s."""
    name = f"proof_{uuid4().hex[:12]}"
    server.create_database(name, owner=owner)
    _make_shared(server)
    if owner == "postgres":
        with psycopg.connect(server.dsn(name), autocommit=True) as connection:
            connection.execute("CREATE ACCESS METHOD spare TYPE TABLE HANDLER heap_tableam_handler")
    with psycopg.connect(server.dsn(name, owner), autocommit=True) as connection:
        connection.execute(PROOF_SCHEMA.read_text())
        connection.execute("ANALYZE")
    yield name
    server.drop_database(name)


def _make_shared(server: EmbeddedPostgres) -> None:
    """What lies beside the server's databases, again where a text took it away."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("SET allow_in_place_tablespaces = on")
        if not connection.execute("SELECT 1 FROM pg_tablespace WHERE spcname = 'spare_space'").fetchone():
            connection.execute("CREATE TABLESPACE spare_space LOCATION ''")
        for role in ROLES:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))


@contextmanager
def copied(server: EmbeddedPostgres, name: str, owner: str = "postgres") -> Iterator[str]:
    """The owner's DSN of a copy that a text may spoil."""
    copy = f"{name}_copy_{uuid4().hex[:6]}"
    server.create_database(copy, template=name, owner=owner)
    yield server.dsn(copy, owner)
    server.drop_database(copy)
