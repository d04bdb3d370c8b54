"""An onlooker of an application's own session that shares nothing with the product's.

In: the session and a second one, what runs a statement. Out: Told, in names of what was there before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import psycopg

from tests.migrations_registry.truth.measuring import LOCK_NAMES, STRENGTH, SUE

APPLIED, REFUSED, FAILED, UNABLE = "applied", "refused", "failed", "unable"
OWN = "n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'supabase_migrations', 'sampelit_ops')"
RELATIONS = f"FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace AND {OWN}"
NAMES = f"SELECT c.oid, n.nspname || '.' || relname {RELATIONS} WHERE relkind NOT IN ('c', 't')"
INDEXES = f"SELECT n.nspname || '.' || relname {RELATIONS} WHERE relkind IN ('i', 'I')"
FILES = "SELECT oid, pg_relation_filenode(oid) FROM pg_class WHERE relkind IN ('r', 'm')"
FILLED = "SELECT oid FROM pg_class WHERE reltuples > 0"
SCANS = (
    "SELECT oid, pg_stat_get_xact_numscans(oid), pg_stat_get_xact_tuples_returned(oid) FROM pg_class"
    " WHERE relkind IN ('r', 'm')"
)
HELD = "SELECT relation, mode, granted FROM pg_locks WHERE pid = %s AND relation IS NOT NULL"
TABLES = f"SELECT c.oid::regclass::text {RELATIONS} WHERE relkind IN ('r', 'p')"


@dataclass
class Told:
    """`locks` of what was there before and is no index, the strongest of each; `strongest` of all, indexes too."""

    outcome: str
    why: str = ""
    strongest: str = ""
    locks: dict[str, str] = field(default_factory=dict)
    rewritten: set[str] = field(default_factory=set)
    scanned: set[str] = field(default_factory=set)
    effects: list[str] = field(default_factory=list)

    def takes(self, name: str, mode: str, indexes: Collection[str]) -> None:
        self.strongest = max(mode, self.strongest or mode, key=STRENGTH.__getitem__)
        if name not in indexes:
            self.locks[name] = max(mode, self.locks.get(name, mode), key=STRENGTH.__getitem__)


class Watcher:
    """Looks at what an application's own session does, statement by statement. It shares nothing with the product's."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.told = Told(APPLIED)
        self.names: dict[int, str] = {}
        self.indexes: set[str] = set()

    def look(self, other: psycopg.Connection) -> None:
        self.names = dict(other.execute(NAMES))
        self.indexes |= {name for (name,) in other.execute(INDEXES)}

    def inside(self, own: psycopg.Connection, other: psycopg.Connection, run: Callable[[], int]) -> int:
        if not self.names:
            self.look(other)
        files, filled = dict(own.execute(FILES)), {oid for (oid,) in other.execute(FILLED)}
        scans = {oid: counts for oid, *counts in own.execute(SCANS)}
        rows = run()
        self._locks(other, own.info.backend_pid)
        for oid, count, read in own.execute(SCANS):
            before, read_before = scans.get(oid, (0, 0))
            if oid in self.names and count > before and (read > read_before or oid not in filled):
                self.told.scanned.add(self.names[oid])
        self._files(files, own)
        return rows

    def alone(self, own: psycopg.Connection, other: psycopg.Connection, run: Callable[[], int]) -> int:
        """Somebody is in its way until it waits: its locks are gone when it ends."""
        self.look(other)
        files, pid = dict(other.execute(FILES)), own.info.backend_pid
        with psycopg.connect(other.info.dsn, password=other.info.password) as blocker, ThreadPoolExecutor(1) as pool:
            for (table,) in other.execute(TABLES).fetchall():
                blocker.execute(f"LOCK TABLE {table} IN {SUE} MODE".encode())
            running = pool.submit(run)
            while not running.done() and not self._locks(other, pid):
                pass
            blocker.rollback()
            rows = running.result()
        self._files(files, other)
        return rows

    def _locks(self, other: psycopg.Connection, pid: int) -> bool:
        """Whether it waits for one."""
        waits = False
        for oid, mode, granted in other.execute(HELD, [pid]):
            waits |= not granted
            if oid in self.names:
                self.told.takes(self.names[oid], LOCK_NAMES[mode], self.indexes)
        return waits

    def _files(self, before: dict[int, int], session: psycopg.Connection) -> None:
        now = dict(session.execute(FILES))
        self.told.rewritten |= {
            self.names[oid] for oid, node in before.items() if oid in self.names and now.get(oid, node) != node
        }
