"""Tables that a restore was not asked for and that change with it: foreign keys that cascade, triggers that write.

In: a connection and tables. Out: what refers to them, what a transaction did to others, a block in which their
triggers are silent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import sql

from providers.errors import ProviderError, Refused
from providers.postgres.connection import Connection, statements
from providers.postgres.schema.model import Name, qualified

_WAKE = {"O": "ENABLE TRIGGER", "A": "ENABLE ALWAYS TRIGGER", "R": "ENABLE REPLICA TRIGGER"}


@dataclass(frozen=True)
class Reference:
    """`table` refers to `target`; when a row there is deleted its own is deleted too, or set to null or a default."""

    table: Name
    target: Name
    deleted: bool
    columns: tuple[str, ...]
    target_columns: tuple[str, ...]

    @property
    def qualified(self) -> str:
        return qualified(*self.table)


def references_in(connection: Connection, tables: Sequence[str]) -> list[Reference]:
    """Foreign keys from outside these tables (schema.name) that act on a deletion in them, or in one that follows."""
    references: list[Reference] = []
    known: set[str] = set()
    targets = sorted(tables)
    while targets:
        rows = connection.execute(statements("references_in"), {"tables": list(tables), "targets": targets})
        more = [
            Reference((schema, name), (to_schema, to_name), deleted, tuple(columns), tuple(others))
            for schema, name, to_schema, to_name, deleted, columns, others in rows
        ]
        references += more
        known.update(targets)
        targets = sorted({reference.qualified for reference in more if reference.deleted} - known)
    return references


def touched(connection: Connection, tables: Sequence[str]) -> dict[str, int]:
    """Rows of other tables that this transaction deleted or changed, by the server's own count (27.2.2).

    Raises Refused where the server does not count.
    """
    row = connection.execute("SELECT current_setting('track_counts')").fetchone()
    if row != ("on",):
        raise Refused(
            "The server does not count what a transaction changes, so nobody would know which rows of other tables "
            "go along. Nothing was changed. Set track_counts to on."
        )
    rows = connection.execute(statements("touched"), {"tables": list(tables)})
    return {str(name): int(count) for name, count in rows}


def write_problems(connection: Connection, tables: Sequence[str]) -> list[str]:
    """Why this role cannot bring these tables (schema.name) to another state; empty when it can."""
    barred: dict[str, list[str]] = {}
    noisy: dict[str, list[str]] = {}
    rows = connection.execute(statements("writable"), {"tables": list(tables)})
    for name, role, owner, may_write, owns, triggers in rows:
        if not may_write:
            barred.setdefault(f"GRANT {owner} TO {role}.", []).append(name)
        elif triggers and not owns:
            noisy.setdefault(f"GRANT {owner} TO {role}.", []).append(name)
    texts = [f"The restore role may not write to {', '.join(names)}. {fix}" for fix, names in barred.items()]
    return texts + [
        f"Triggers of {', '.join(names)} would fire, and only the owner can silence them. {fix}"
        for fix, names in noisy.items()
    ]


@contextmanager
def silent_triggers(connection: Connection, tables: Sequence[Name]) -> Iterator[None]:
    """No trigger of a person fires on these tables (references are still checked); needs their owner.

    Inside a transaction: afterwards each is as it was, and where the block raises the rollback puts it back.
    """
    triggers = [(table, *row) for table in tables for row in _triggers(connection, table)]
    for table, name, _ in triggers:
        _alter(connection, table, "DISABLE TRIGGER", name)
    yield
    if triggers:
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")  # ALTER TABLE waits for no deferred check
    for table, name, mode in triggers:
        _alter(connection, table, _WAKE[mode], name)


def _triggers(connection: Connection, table: Name) -> list[tuple[str, str]]:
    query = sql.SQL(
        "SELECT tgname::text, tgenabled::text FROM pg_trigger"
        " WHERE tgrelid = {}::regclass AND NOT tgisinternal AND tgenabled <> 'D' ORDER BY 1"
    ).format(sql.Literal(sql.Identifier(*table).as_string()))
    return [(str(row[0]), str(row[1])) for row in connection.execute(query)]


def _alter(connection: Connection, table: Name, verb: str, trigger: str) -> None:
    words = sql.SQL("ALTER TABLE ONLY {} {} {}")  # a partition has a mode of its own
    connection.execute(words.format(sql.Identifier(*table), sql.SQL(verb), sql.Identifier(trigger)))


def refuse_more_touched(connection: Connection, tables: Sequence[str], approved: Mapping[str, int]) -> None:
    """What really happened to other tables, whatever led there: a key behind a key, a trigger, a row that came late.

    `approved`: rows by table. Raises ProviderError.
    """
    touched_rows = touched(connection, tables)
    more = [f"{name}: {count} rows" for name, count in sorted(touched_rows.items()) if count > approved.get(name, 0)]
    if more:
        raise ProviderError(
            "The restore was rolled back; nothing was changed. Rows of tables that it does not restore refer to rows "
            f"that it removes, and more of them would go along than people approved: {', '.join(more)}. "
            "Compare again, or restore those tables too."
        )
