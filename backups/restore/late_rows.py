"""Laying kept rows over a loaded run: by primary key they replace the run's rows, the others are added.

In: a Loader whose tables hold the run, inside the caller's transaction. Out: notes; the loader's `problems` grow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import psycopg

from backups.archive.loader import Loader
from backups.archive.manifest import Table
from backups.archive.schema_proof import fetched
from backups.archive.segment_codec import Damaged, unpack
from backups.archive.subset import hashed_columns, in_order
from providers import postgres
from providers.postgres.error_facts import facts_of
from providers.postgres.restore.table_sync import columns_of, remove_clashing, set_aside, stage_columns
from providers.postgres.schema.model import Name
from providers.storage.base import Missing


def lay_over(loader: Loader, late_rows: Sequence[Table], *, aside: bool) -> list[str]:
    """`aside`: rows that do not fit become a table of their own beside it; without it they are a problem.

    Tables that others refer to come first; what was kept later replaces what was kept before.
    """
    order = {table.qualified: place for place, table in enumerate(in_order(loader.manifest))}
    tables = sorted(late_rows, key=lambda table: order[table.qualified])
    return [_lay_over(loader, number, table, aside) for number, table in enumerate(tables) if table.rows]


def _lay_over(loader: Loader, number: int, table: Table, aside: bool) -> str:
    loader.watch.check()
    staged = stage_columns(
        loader.connection, f"sampelit_ops_kept_{number}", [(column.name, column.type) for column in table.columns]
    )
    try:
        for _ in copied_into(loader, staged, table):
            pass
    except (Damaged, Missing) as error:
        loader.problems.append(f"Rows kept after the run could not be read: {error}.")
        return ""
    if _differs(loader, staged, table):
        loader.problems.append(f"{table.qualified}: the rows kept after the run are not those that were kept.")
        return ""
    return _merge(loader, staged, table, aside)


def copied_into(loader: Loader, staged: Name, table: Table) -> Iterator[int]:
    """Segment by segment, how many rows came. Raises Damaged, Missing and ProviderError."""
    names = [column.name for column in table.columns]
    for segment in table.segments:
        loader.watch.check()
        blocks = unpack(fetched(loader, segment.key), segment, loader.identities)
        yield postgres.copy_in(loader.connection, staged, names, segment.format, blocks)


def _differs(loader: Loader, staged: Name, table: Table) -> bool:
    evidence = postgres.evidence(loader.connection, staged, hashed_columns(table))
    return (evidence.rows, evidence.digest) != (table.rows, table.digest)


def _merge(loader: Loader, staged: Name, table: Table, aside: bool) -> str:
    live = (table.schema, table.name)
    there = set(columns_of(loader.connection, live))
    names = [column.name for column in table.columns if column.name in there]
    key = postgres.primary_key(loader.connection, live)
    try:
        with loader.connection.transaction():
            remove_clashing(loader.connection, live, staged, key)
            postgres.bring_back(loader.connection, live, staged, names, key)
    except psycopg.Error as error:
        reason = facts_of(error, {*names, *live})
        if not aside:
            loader.problems.append(f"{table.qualified}: {table.rows} rows kept after the run do not fit: {reason}.")
            return ""
        beside = set_aside(loader.connection, live, staged)
        return f"{table.rows} rows kept after the run do not fit into {table.qualified} ({reason}): see {beside}."
    twice = "" if key else " It has no primary key, so a row that was changed is there twice."
    return f"{table.rows} rows of {table.qualified}, written after the run and kept beside it, were laid over.{twice}"
