"""What a live database knows about its tables, for judging SQL before it runs: sizes, types, checks, indexes, waits.

In: a connection (providers.postgres.connect). Out: frozen rows. Estimates come from statistics; nothing is counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from providers.postgres.connection import Connection, statements
from providers.postgres.schema.programs import LivePrograms, read_programs


@dataclass(frozen=True)
class LiveTable:
    """`columns` name → (type, not null, collation if not the type's own);
    `indexes` name → (valid, full, columns, unique);
    `not_null_checks` of the form CHECK (column IS NOT NULL): name → (column, valid);
    `writes` since statistics began; `remade` column → checks and indexes that another type of it checks or builds
    again; `references` constraint → (schema, table, own columns).
    """

    schema: str
    name: str
    rows: int
    bytes: int
    columns: dict[str, tuple[str, bool, str]]
    not_null_checks: dict[str, tuple[str, bool]]
    indexes: dict[str, tuple[bool, bool, tuple[str, ...], bool]]
    oldest_transaction_seconds: int
    writes: int
    remade: dict[str, tuple[str, ...]]
    references: dict[str, tuple[str, str, tuple[str, ...]]]
    partition_key: tuple[str, ...]
    default_partition: tuple[str, str] | None


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
    tables = tuple(_table(*row) for row in connection.execute(statements("live_tables")))
    row = connection.execute(statements("live_database")).fetchone()
    assert row is not None  # noqa: S101 - one SELECT without FROM always answers one row
    domains, is_supabase, version = row
    return LiveDatabase(tables, tuple(domains), is_supabase, version, read_programs(connection))


def _table(
    schema: str,
    name: str,
    rows: int,
    size: int,
    columns: dict[str, list[Any]],
    checks: dict[str, list[Any]],
    indexes: dict[str, list[Any]],
    oldest: int,
    writes: int,
    remade: dict[str, list[str]],
    references: dict[str, list[Any]],
    partitions: dict[str, Any] | None,
) -> LiveTable:
    parts = partitions or {}
    return LiveTable(
        schema,
        name,
        rows,
        size,
        {column: (kind, required, collation) for column, (kind, required, collation) in columns.items()},
        {check: (column, valid) for check, (column, valid) in checks.items()},
        {index: (valid, full, tuple(names), unique) for index, (valid, full, names, unique) in indexes.items()},
        oldest,
        writes,
        {column: tuple(names) for column, names in remade.items()},
        {constraint: (of, parent, tuple(own)) for constraint, (of, parent, own) in references.items()},
        tuple(parts.get("key", ())),
        (parts["default"][0], parts["default"][1]) if parts.get("default") else None,
    )
