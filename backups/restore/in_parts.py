"""A restore whose locks one transaction of the target has no room for: committed as it goes, undone where it fails.

In: a loader on an empty database. Out: notes. PostgreSQL keeps a lock for every table, index and TOAST table that a
transaction makes until it ends, in a table of fixed size (19.12 Lock Management).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import psycopg

from backups.archive.loader import Loader
from backups.archive.manifest import Manifest
from backups.archive.schema_proof import entries_of
from providers.errors import ProviderError
from providers.postgres.connection import Connection, address, statements

LOCKS = {"table": 3, "index": 1, "primary_key": 1, "unique": 1, "exclusion": 1, "sequence": 1, "view": 1}
MARK = "public.sampelit_ops_unfinished_restore"
Found = set[tuple[str, str]]


def locks_needed(manifest: Manifest) -> int:
    return sum(LOCKS.get(item.kind, 0) for item in manifest.statements)


def room(connection: Connection) -> int:
    row = connection.execute(statements("lock_room")).fetchone()
    return int(row[0]) if row else 0


def is_empty(connection: Connection) -> bool:
    """No table, view, function or type of anybody's: then everything that is there later was made by the restore."""
    row = connection.execute(statements("empty_database")).fetchone()
    return bool(row and row[0])


def fill_in_parts(
    loader: Loader, dsn: str, fill: Callable[[], list[str]], compare: Callable[[], list[str]], *, dropped: bool = False
) -> list[str]:
    """Each statement and each segment is a transaction. Raises ProviderError with the target emptied again, or left
    to whoever made it for this restore and drops it (`dropped`).

    A table tells of a restore that was killed on the way; whoever finds it drops the database. `compare` comes when it
    is gone again, for it would be part of what publishes a schema.
    """
    connection = loader.connection
    connection.execute("SET synchronous_commit = off")
    connection.execute(f"CREATE TABLE {MARK} AS SELECT now() AS began".encode())
    before = _apart(connection)
    try:
        notes = fill()
        if loader.problems:
            said = f"stopped; {address(dsn)} is not whole" if dropped else f"was undone; {address(dsn)} is empty again"
            raise ProviderError(f"The restore {said}. {' '.join(loader.problems[:10])}")
        # What was committed before, by others too, is on disk with it.
        connection.execute("SET synchronous_commit = on")
        connection.execute(f"DROP TABLE {MARK}".encode())
        return [*notes, *compare()]
    except BaseException:
        if not dropped:
            _undo(loader, before)
        raise


def _apart(connection: Connection) -> Found:
    """What an empty database has already: extensions and schemas."""
    rows: Iterable[tuple[str, str]] = connection.execute(
        "SELECT 'EXTENSION', extname::text FROM pg_extension UNION ALL SELECT 'SCHEMA', nspname::text FROM pg_namespace"
    )
    return set(rows)


def _undo(loader: Loader, before: Found) -> None:
    """pg_dump knows how each object goes; what fails was never made, or went with another."""
    connection = loader.connection
    if connection.closed:
        return
    made = [entry for entry in entries_of(loader) if entry.drop and (entry.kind, entry.tag) not in before]
    drops = [entry.drop for entry in reversed(made)]
    for text in [*drops, "SELECT lo_unlink(oid) FROM pg_largeobject_metadata", f"DROP TABLE {MARK}"]:
        try:
            with connection.transaction():
                connection.execute(text.encode())
        except psycopg.Error:
            if connection.closed:
                return
