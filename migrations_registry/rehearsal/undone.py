"""The undo of a file, rehearsed on the copy where the file was: whether all of it comes back, before anybody votes.

In: the copy before the last file, and its attempt. Out: sentences of what does not come back, and whether rows do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import psycopg
from psycopg import sql

from migrations_registry.fingerprint import Fingerprint
from migrations_registry.rehearsal.attempt import NOT_HERE, RehearsedAttempt
from migrations_registry.rehearsal.restored import Restored
from migrations_registry.undo.execute import Staged, undo
from migrations_registry.undo.known import changes_of, is_measured, xids_of
from migrations_registry.undo.losses import TableLoss, renamed, table_losses
from migrations_registry.undo.objects import Looks
from operations.models import Risk
from providers.counting import counted, first_of
from providers.postgres.connection import Connection, pin, statements
from providers.postgres.driver_errors import first_line
from providers.postgres.restore.table_sync import columns_of, stage_columns
from providers.postgres.schema.model import Name, qualified

MOST_BYTES = 2 * 2**30  # of rows, kept a second time on the copy's own server
MOST_NOTES = 20
Columns = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Kept:
    """The schema before the file, and every table's rows as text in a temporary table, by name with their columns."""

    before: Fingerprint
    tables: Mapping[Name, tuple[str, Columns]]


@dataclass(frozen=True)
class Undone:
    """`notes`: what does not come back; `rows_lost`: rows or values are among it; `compared`: tables, row by row;
    `not_compared`: why none was."""

    notes: tuple[str, ...]
    rows_lost: bool = False
    compared: int = 0
    not_compared: str = ""

    def report(self) -> dict[str, Any]:
        return {**asdict(self), "notes": first_of(self.notes, MOST_NOTES)}


def keep(copy: Restored, attempt: RehearsedAttempt) -> Kept:
    """Before the file runs. As text, so that nothing hangs on a type that the file may drop. No rows of a routine file,
    which loses none, and none that cannot be read as text."""
    tables: dict[Name, tuple[str, Columns]] = {}
    left = MOST_BYTES
    listed = copy.own.execute(statements("rehearsed_tables")).fetchall() if attempt.risk != Risk.ROUTINE else []
    for schema, name, size, columns in listed:
        if not copy.rows.get(qualified(schema, name)):
            continue
        left -= size
        if left < 0:
            break
        place = f"rehearsed_{len(tables)}"
        texts = [sql.SQL('{0}::pg_catalog.text COLLATE "C" AS {0}').format(sql.Identifier(each)) for each, _ in columns]
        query = sql.SQL("CREATE TEMP TABLE {} AS SELECT {} FROM ONLY {}")
        try:
            copy.own.execute(
                query.format(sql.Identifier(place), sql.SQL(", ").join(texts), sql.Identifier(schema, name))
            )
        except psycopg.Error:
            if copy.own.closed:
                raise
            continue
        tables[schema, name] = place, [(each, kind) for each, kind in columns]
    return Kept(attempt.schema(), tables)


def undone(kept: Kept, attempt: RehearsedAttempt, copy: Restored) -> Undone | None:
    """After the file went through; None where nothing was lost. What the undo did stays on the copy."""
    changes = changes_of(attempt.row.steps)
    looks = Looks(kept.before, attempt.schema(), renamed(changes, kept.before))
    losses = table_losses(changes, looks)
    if not losses and not [*looks.destroyed()]:
        return None
    if not is_measured(attempt.row):
        return Undone(("It changes too much to be written down in full, so it cannot be undone.",), rows_lost=True)
    own, kept = copy.own, _still_there(kept, copy.own)
    try:
        own.execute("RESET SESSION AUTHORIZATION; RESET ALL")
        pin(own, read_only=False)
        staged = Staged(losses, sorted(xids_of(attempt.row.steps)), lambda *of: _stage(own, kept, *of))
        with own.transaction():
            done = undo(own, looks, [staged])
        different = [*_different(own, kept, losses)]
    except psycopg.Error as error:
        if own.closed:
            raise
        if error.sqlstate in NOT_HERE:
            return Undone((), not_compared=f"the copy refuses what the target may allow: {first_line(error)}")
        return Undone((f"An undo fails, and changes nothing: {first_line(error)}",), rows_lost=bool(losses))
    notes = tuple(dict.fromkeys([*done.notes, *different]))
    compared = sum(_name(loss) in kept.tables for loss in losses)
    why = "" if compared == len(losses) else "not of every table the copy has rows to compare"
    return Undone(notes, bool(different), compared, why)


def _still_there(kept: Kept, own: Connection) -> Kept:
    """Without what the file took away again (DISCARD)."""
    query = "SELECT relname::text FROM pg_catalog.pg_class WHERE relnamespace = pg_catalog.pg_my_temp_schema()"
    there = {name for (name,) in own.execute(query)}
    return replace(kept, tables={name: rows for name, rows in kept.tables.items() if rows[0] in there})


def _name(loss: TableLoss) -> Name:
    return loss.table[0], loss.table[1]


def _stage(own: Connection, kept: Kept, table: Name, name: str) -> list[str]:
    if table not in kept.tables:
        return []
    place, columns = kept.tables[table]
    staged = stage_columns(own, name, columns)
    texts = [sql.SQL("{}::{}").format(sql.Identifier(each), sql.SQL(kind)) for each, kind in columns]
    query = sql.SQL("INSERT INTO {} SELECT {} FROM {}")
    own.execute(query.format(sql.Identifier(*staged), sql.SQL(", ").join(texts), sql.Identifier("pg_temp", place)))
    return [each for each, _ in columns]


def _different(own: Connection, kept: Kept, losses: Sequence[TableLoss]) -> list[str]:
    """Tables whose rows are not what they were."""
    found = []
    for table in (_name(loss) for loss in losses if _name(loss) in kept.tables):
        place, columns = kept.tables[table]
        there = own.execute("SELECT pg_catalog.to_regclass(%s) IS NOT NULL", [sql.Identifier(*table).as_string()])
        now = columns_of(own, table) if there.fetchone() == (True,) else []
        texts = [
            sql.SQL('{}::pg_catalog.text COLLATE "C"').format(sql.Identifier(each)) if each in now else sql.SQL("NULL")
            for each, _ in columns
        ]
        if not now:
            found.append(f"{'.'.join(table)} does not come back.")
            continue
        query = sql.SQL("SELECT pg_catalog.count(*) FROM (TABLE {} EXCEPT ALL SELECT {} FROM ONLY {}) lost")
        parts = (sql.Identifier("pg_temp", place), sql.SQL(", ").join(texts), sql.Identifier(*table))
        row = own.execute(query.format(*parts)).fetchone()
        if row and row[0]:
            found.append(f"Of {'.'.join(table)}, {counted(row[0], 'row')} would not come back as they were.")
    return found
