"""What a live database knows about its tables, for judging SQL before it runs: sizes, types, checks, indexes, waits.

In: a connection (providers.postgres.connect). Out: frozen rows. Estimates come from statistics; nothing is counted.
"""

from __future__ import annotations

from dataclasses import dataclass

from providers.postgres.connection import Connection, statements
from providers.postgres.schema.programs import LivePrograms, read_programs


@dataclass(frozen=True)
class LiveTable:
    """`columns` name → (type, not null); `indexes` name → (valid, full, columns); `writes` since statistics began."""

    schema: str
    name: str
    rows: int
    bytes: int
    columns: dict[str, tuple[str, bool]]
    checked_not_null: tuple[str, ...]
    indexes: dict[str, tuple[bool, bool, tuple[str, ...]]]
    oldest_transaction_seconds: int
    writes: int


@dataclass(frozen=True)
class LiveDatabase:
    """`domains` are schema.name of those with a constraint; Supabase is told by its API roles."""

    tables: tuple[LiveTable, ...]
    domains: tuple[str, ...]
    is_supabase: bool
    server_version: int
    programs: LivePrograms


def read_live(connection: Connection) -> LiveDatabase:
    """Read the catalog once. Raises psycopg.Error when the server does not answer."""
    tables = tuple(
        LiveTable(
            schema,
            name,
            rows,
            size,
            {column: (kind, required) for column, (kind, required) in columns.items()},
            tuple(checked),
            {index: (valid, full, tuple(names)) for index, (valid, full, names) in indexes.items()},
            oldest,
            writes,
        )
        for schema, name, rows, size, columns, checked, indexes, oldest, writes in connection.execute(
            statements("live_tables")
        )
    )
    row = connection.execute(statements("live_database")).fetchone()
    assert row is not None  # noqa: S101 - one SELECT without FROM always answers one row
    domains, is_supabase, version = row
    return LiveDatabase(tables, tuple(domains), is_supabase, version, read_programs(connection))
