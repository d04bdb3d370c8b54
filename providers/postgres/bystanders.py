"""Tables that a restore was not asked for and that change with it: foreign keys that cascade, triggers that write.

In: a connection and tables. Out: how many rows of others go along; a block in which the tables' triggers are silent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import sql

from providers.postgres.connection import Connection, statements
from providers.postgres.copying import CopyOut, copy_in
from providers.postgres.merge import Name
from providers.postgres.snapshot import Range

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
        return ".".join(self.table)


def references_in(connection: Connection, tables: Sequence[str]) -> list[Reference]:
    """Foreign keys from outside these tables (schema.name) that act on a deletion inside them."""
    rows = connection.execute(statements("references_in"), {"tables": list(tables)})
    return [
        Reference((schema, name), (to_schema, to_name), deleted, tuple(columns), tuple(others))
        for schema, name, to_schema, to_name, deleted, columns, others in rows
    ]


def copy_of_references(drill: Connection, live: Connection, reference: Reference) -> Name:
    """The referring columns, copied from `live` into a temporary table of another server, as text."""
    columns = [sql.SQL("{} text").format(sql.Identifier(name)) for name in reference.columns]
    drill.execute("DROP TABLE IF EXISTS pg_temp.referring")
    drill.execute(sql.SQL("CREATE TEMP TABLE referring ({})").format(sql.SQL(", ").join(columns)))
    stream = CopyOut(live, reference.table, reference.columns, Range(), "csv")
    copy_in(drill, ("pg_temp", "referring"), reference.columns, "csv", stream)
    return "pg_temp", "referring"


def taken_along(
    connection: Connection, referring: Name, reference: Reference, live: Name, wanted: Name, key: Sequence[str]
) -> int:
    """Rows of `referring` that lead to a row of `live` that `wanted` does not have; without a key all rows go."""
    pairs = zip(reference.columns, reference.target_columns, strict=True)
    joined = [sql.SQL("{}::text = {}::text").format(sql.Identifier("r", a), sql.Identifier("l", b)) for a, b in pairs]
    same = [sql.SQL("{} = {}").format(sql.Identifier("w", name), sql.Identifier("l", name)) for name in key]
    gone = sql.SQL("WHERE NOT EXISTS (SELECT FROM {} w WHERE {})").format(
        sql.Identifier(*wanted), sql.SQL(" AND ").join(same)
    )
    query = sql.SQL("SELECT count(*) FROM {} r JOIN {} l ON {} {}").format(
        sql.Identifier(*referring), sql.Identifier(*live), sql.SQL(" AND ").join(joined), gone if key else sql.SQL("")
    )
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


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
    found = [(table, *row) for table in tables for row in _triggers(connection, table)]
    for table, name, _ in found:
        _alter(connection, table, "DISABLE TRIGGER", name)
    yield
    if found:
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")  # ALTER TABLE waits for no deferred check
    for table, name, mode in found:
        _alter(connection, table, _WAKE[mode], name)


def _triggers(connection: Connection, table: Name) -> list[tuple[str, str]]:
    query = sql.SQL(
        "SELECT tgname::text, tgenabled::text FROM pg_trigger"
        " WHERE tgrelid = {}::regclass AND NOT tgisinternal AND tgenabled <> 'D' ORDER BY 1"
    ).format(sql.Literal(sql.Identifier(*table).as_string()))
    return [(str(row[0]), str(row[1])) for row in connection.execute(query)]


def _alter(connection: Connection, table: Name, verb: str, trigger: str) -> None:
    words = sql.SQL("ALTER TABLE {} {} {}")
    connection.execute(words.format(sql.Identifier(*table), sql.SQL(verb), sql.Identifier(trigger)))
