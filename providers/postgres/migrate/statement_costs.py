"""What one statement costs those who use the database: locks, tables written anew or read whole, log, time.

In: the session that runs it, and others that look on. Out: StatementCost; of relations that were there before, in the
words of PostgreSQL 17, 13.3.1. For rehearsals: looking costs time, and beside a lone statement somebody is in its way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from providers.postgres.connection import Connection, statements
from providers.postgres.migrate.catalog_rows import fetch_rows

Relation = tuple[str, str]
IN_THE_WAY = "SHARE UPDATE EXCLUSIVE"  # everything that has to run alone waits for whoever holds this
WAITS_SECONDS, LOOK_SECONDS = 5.0, 0.002
Run = Callable[[], int]


@dataclass(frozen=True)
class StatementCost:
    """`locks`: new or stronger ones. `rows`: what the statement says that it touched (-1: it does not say)."""

    rows: int
    seconds: float
    wal_bytes: int
    locks: tuple[tuple[Relation, str], ...]
    rewritten: tuple[Relation, ...] = ()
    scanned: tuple[Relation, ...] = ()


@dataclass
class Onlooker:
    """Looks at one session's statements. `names`: relations as they were before, by oid; `filled`: with rows.

    `table_of`: each index's.
    """

    own: Connection
    other: Connection
    names: dict[int, Relation] = field(default_factory=dict)
    tables: frozenset[Relation] = frozenset()
    filled: frozenset[int] = frozenset()
    table_of: dict[int, int] = field(default_factory=dict)
    held: frozenset[tuple[int, str]] = frozenset()

    def begin(self) -> None:
        """At the begin of a transaction, or before a statement outside of one."""
        rows = fetch_rows(self.other, statements("statement_relations"))
        self.names = {oid: (schema, name) for oid, schema, name, *_ in rows}
        self.tables = frozenset((schema, name) for _, schema, name, kind, *_ in rows if kind in ("r", "p"))
        self.filled = frozenset(oid for oid, *_, filled, _ in rows if filled)
        self.table_of = {oid: table for oid, *_, table in rows if table}
        self.held = frozenset()

    def inside(self, run: Run) -> StatementCost:
        """A statement of the transaction that is open."""
        files, scans, log = self._files(self.own), self._scans(), _log_position(self.other)
        began = time.monotonic()
        rows = run()
        seconds = time.monotonic() - began
        held = frozenset((oid, mode) for oid, mode, _ in self._locks())
        new, self.held = held - self.held, self.held | held
        return StatementCost(
            rows,
            seconds,
            _log_position(self.other) - log,
            self._named(new),
            self._relations(_differing(files, self._files(self.own))),
            self._relations(self._read_whole(scans, self._scans())),
        )

    def alone(self, run: Run, tables: Iterable[Relation]) -> StatementCost:
        """A statement outside of transactions, whose locks are gone when it ends: somebody is in its way at first."""
        files, log = self._files(self.other), _log_position(self.other)
        with psycopg.connect(self.other.info.dsn, password=self.other.info.password) as blocker:
            for schema, name in self._lockable(tables):
                words = sql.SQL("LOCK TABLE {} IN {} MODE").format(sql.Identifier(schema, name), sql.SQL(IN_THE_WAY))
                blocker.execute(words)
            rows, seconds, seen = self._watched(run, blocker)
        rewritten = self._relations(_differing(files, self._files(self.other)))
        locked = {
            oid for oid, _ in seen
        }  # of an index whose table is locked only a lucky look sees how, and nobody waits
        seen = {(oid, mode) for oid, mode in seen if self.table_of.get(oid) not in locked}
        return StatementCost(rows, seconds, _log_position(self.other) - log, self._named(seen), rewritten)

    def _lockable(self, names: Iterable[Relation]) -> Set[Relation]:
        """Those that are tables, and of an index its table."""
        wanted = set(names)
        oids = {self.table_of.get(oid, oid) for oid, name in self.names.items() if name in wanted}
        return self.tables & {self.names[oid] for oid in oids if oid in self.names}

    def _watched(self, run: Run, blocker: Connection) -> tuple[int, float, set[tuple[int, str]]]:
        """Rows, seconds since nobody was in the way, and every lock that was seen."""
        seen: set[tuple[int, str]] = set()
        waits, began = True, time.monotonic()
        with ThreadPoolExecutor(1) as thread:
            running = thread.submit(run)
            while not running.done():
                locks = self._locks()
                seen |= {(oid, mode) for oid, mode, _ in locks}
                is_asking = not all(granted for *_, granted in locks)
                if waits and (is_asking or time.monotonic() > began + WAITS_SECONDS):
                    blocker.rollback()
                    waits, began = False, time.monotonic()
                time.sleep(LOOK_SECONDS)
            return running.result(), time.monotonic() - began, seen

    def _locks(self) -> list[tuple[int, str, bool]]:
        pid = self.own.info.backend_pid
        rows = fetch_rows(self.other, statements("statement_locks"), {"pid": pid})
        return [(int(oid), _words(mode), bool(granted)) for oid, mode, granted in rows]

    def _files(self, session: Connection) -> dict[int, int]:
        rows = fetch_rows(session, statements("statement_relations"))
        return {oid: node for oid, _, _, _, node, *_ in rows if node and oid in self.names}

    def _scans(self) -> dict[int, tuple[int, int]]:
        return {oid: (count, rows) for oid, count, rows in fetch_rows(self.own, statements("statement_scans"))}

    def _read_whole(self, before: dict[int, tuple[int, int]], after: dict[int, tuple[int, int]]) -> list[int]:
        """A planner that only looks into a table reads no row of one that has some."""
        more = [(oid, *now, *before.get(oid, (0, 0))) for oid, now in after.items()]
        return [
            oid
            for oid, count, rows, old, old_rows in more
            if count > old and (rows > old_rows or oid not in self.filled)
        ]

    def _named(self, locks: Set[tuple[int, str]]) -> tuple[tuple[Relation, str], ...]:
        """An index is told of where its table is not locked alike."""
        return tuple(
            sorted(
                (self.names[oid], mode)
                for oid, mode in locks
                if oid in self.names and (self.table_of.get(oid), mode) not in self.held | locks
            )
        )

    def _relations(self, oids: Iterable[int]) -> tuple[Relation, ...]:
        return tuple(sorted(self.names[oid] for oid in oids if oid in self.names))


def _differing(before: dict[int, int], after: dict[int, int]) -> list[int]:
    return [oid for oid, node in after.items() if before.get(oid, node) != node]


def _words(mode: str) -> str:
    """AccessExclusiveLock → ACCESS EXCLUSIVE."""
    letters = (f" {letter}" if letter.isupper() else letter for letter in mode.removesuffix("Lock"))
    return "".join(letters).strip().upper()


def _log_position(session: Connection) -> int:
    ((position,),) = fetch_rows(
        session, "SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::pg_catalog.int8"
    )
    return int(position)
