"""How many rows of other tables go with rows that a restore removes, over as many foreign keys as lead there.

In: the live database, and a throwaway one that holds the live and the wanted rows of a table. Out: rows by table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql

from providers.postgres.connection import Connection, statements
from providers.postgres.copy.snapshot import Range
from providers.postgres.copy.stream import CopyOut, copy_in
from providers.postgres.restore.side_effects import Reference
from providers.postgres.schema.model import Name

GONE = sql.Identifier("sampelit_ops_gone")
Copies = Mapping[Name, Name]


@dataclass(frozen=True)
class Removal:
    """The rows of `live` that `wanted` does not have (all, without a key) are removed from `table`."""

    table: Name
    live: Name
    wanted: Name
    key: Sequence[str]


def rows_along(drill: Connection, live: Connection, references: Sequence[Reference], removal: Removal) -> Counter[str]:
    """Rows that are deleted, or lose a reference, by table; one that does so by two keys counts twice."""
    counts: Counter[str] = Counter()
    reached = _reached(references, removal.table)
    if not reached:
        return counts
    others = sorted({reference.table for reference in reached})
    copies = {
        table: ("pg_temp", f"sampelit_ops_along_{number}") for number, table in enumerate([removal.table, *others])
    }
    _removed(drill, removal, copies[removal.table], _columns(reached, removal.table))
    for table in others:
        _copied(drill, live, table, copies[table], _columns(reached, table))
    deleting = [reference for reference in reached if reference.deleted]
    while any(_mark(drill, reference, copies) for reference in deleting):
        pass
    for reference in reached:
        counts[reference.qualified] += _count(drill, reference, copies)
    drill.execute(
        sql.SQL("DROP TABLE {}").format(sql.SQL(", ").join(sql.Identifier(*name) for name in copies.values()))
    )
    return +counts


def _reached(references: Sequence[Reference], table: Name) -> list[Reference]:
    """Those that a deletion in the table sets off, directly or one after the other."""
    reached: list[Reference] = []
    targets = {table}
    while more := [reference for reference in references if reference.target in targets and reference not in reached]:
        reached += more
        targets |= {reference.table for reference in more if reference.deleted}
    return reached


def _columns(reached: Sequence[Reference], table: Name) -> list[str]:
    own = {name for reference in reached if reference.table == table for name in reference.columns}
    return sorted(
        own | {name for reference in reached if reference.target == table for name in reference.target_columns}
    )


def _removed(drill: Connection, removal: Removal, copy: Name, columns: Sequence[str]) -> None:
    texts = [sql.SQL("{}::text AS {}").format(sql.Identifier("l", name), sql.Identifier(name)) for name in columns]
    same = [
        sql.SQL("{} = {}").format(sql.Identifier("w", column), sql.Identifier("l", column)) for column in removal.key
    ]
    not_wanted = sql.SQL(" WHERE NOT EXISTS (SELECT FROM {} w WHERE {})").format(
        sql.Identifier(*removal.wanted), sql.SQL(" AND ").join(same)
    )
    words = sql.SQL("CREATE TEMP TABLE {} AS SELECT {}, true AS {} FROM {} l{}")
    drill.execute(
        words.format(
            sql.Identifier(copy[1]),
            sql.SQL(", ").join(texts),
            GONE,
            sql.Identifier(*removal.live),
            not_wanted if removal.key else sql.SQL(""),
        )
    )


def _copied(drill: Connection, live: Connection, table: Name, copy: Name, columns: Sequence[str]) -> None:
    texts = [sql.SQL("{} text").format(sql.Identifier(name)) for name in columns]
    words = sql.SQL("CREATE TEMP TABLE {} ({}, {} boolean NOT NULL DEFAULT false)")
    drill.execute(words.format(sql.Identifier(copy[1]), sql.SQL(", ").join(texts), GONE))
    for part in live.execute(statements("leaves"), {"name": sql.Identifier(*table).as_string()}).fetchall():
        copy_in(drill, copy, columns, "csv", CopyOut(live, (part[0], part[1]), columns, Range(), "csv"))


def _mark(drill: Connection, reference: Reference, copies: Copies) -> int:
    words = sql.SQL("UPDATE {} r SET {} = true FROM {} l WHERE NOT r.{} AND l.{} AND {}")
    names = sql.Identifier(*copies[reference.table]), GONE, sql.Identifier(*copies[reference.target]), GONE, GONE
    return drill.execute(words.format(*names, _leads(reference))).rowcount


def _count(drill: Connection, reference: Reference, copies: Copies) -> int:
    words = sql.SQL("SELECT count(*) FROM {} r JOIN {} l ON {} WHERE l.{}")
    names = sql.Identifier(*copies[reference.table]), sql.Identifier(*copies[reference.target])
    row = drill.execute(words.format(*names, _leads(reference), GONE)).fetchone()
    return int(row[0]) if row else 0


def _leads(reference: Reference) -> sql.Composable:
    pairs = zip(reference.columns, reference.target_columns, strict=True)
    return sql.SQL(" AND ").join(
        sql.SQL("{} = {}").format(sql.Identifier("r", a), sql.Identifier("l", b)) for a, b in pairs
    )
