"""A table's old rows out of a restore point, with what was written after it and kept, in a temporary table.

In: a Loader of the run, its kept rows. Out: the function that an undo calls for each table; every object is checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from psycopg import sql

from backups.archive import keys
from backups.archive.late_rows import LateRows
from backups.archive.loader import Loader
from backups.archive.manifest import Table
from backups.archive.schema_proof import fetched
from backups.archive.segment_codec import Damaged, unpack
from backups.models import Run
from backups.progress import Watch
from backups.restore.session import beat_seconds
from backups.stores.trusted_manifest import late_rows_after, store_of, trusted_manifest
from migrations_registry.undo.execute import Stage
from migrations_registry.undo.losses import TableLoss
from providers import postgres
from providers.errors import ProviderError
from providers.postgres.connection import Connection
from providers.postgres.restore.table_sync import stage_columns
from providers.storage.base import Missing

Name = tuple[str, str]


@contextmanager
def staging(run: Run | None, losses: Sequence[TableLoss], watch: Watch, connection: Connection) -> Iterator[Stage]:
    """Without a run no table had rows that were destroyed. Raises ProviderError and Refused."""
    if run is None:
        yield lambda table, name: []
        return
    store = store_of(run)
    loader = Loader(trusted_manifest(run, store), store, connection, keys.identities(), watch, beat_seconds())
    later, by_name = late_rows_after(run), {loss.table: loss.key for loss in losses}

    def stage(table: Name, name: str) -> list[str]:
        held = next((each for each in loader.manifest.tables if (each.schema, each.name) == table), None)
        if held is None:
            return []
        names = _filled(loader, held, name)
        for number, kept in enumerate(_kept(later, table)):
            newer = f"{name}_kept_{number}"
            _filled(loader, kept, newer)
            _lay_over(connection, name, newer, names, by_name.get(table, ()))
        return names

    yield stage


def _kept(later: Sequence[LateRows], table: Name) -> list[Table]:
    return [each for part in later for each in part.tables if (each.schema, each.name) == table and each.rows]


def _filled(loader: Loader, table: Table, name: str) -> list[str]:
    staged = stage_columns(loader.connection, name, [(column.name, column.type) for column in table.columns])
    names = [column.name for column in table.columns]
    for segment in table.segments:
        loader.watch.check()
        try:
            blocks = unpack(fetched(loader, segment.key), segment, loader.identities)
            postgres.copy_in(loader.connection, staged, names, table.format, blocks)
        except (Damaged, Missing) as error:
            raise ProviderError(f"The undo was rolled back; nothing was changed. {error}.") from None
    return names


def _lay_over(connection: Connection, name: str, newer: str, names: Sequence[str], key: Sequence[str]) -> None:
    """What was written after the copy replaces it by key; without a key it is added."""
    parts = {"old": sql.Identifier("pg_temp", name), "new": sql.Identifier("pg_temp", newer)}
    if key:
        same = [sql.SQL("o.{0} = n.{0}").format(sql.Identifier(column)) for column in key]
        words = sql.SQL("DELETE FROM {old} o USING {new} n WHERE {same}")
        connection.execute(words.format(same=sql.SQL(" AND ").join(same), **parts))
    listed = sql.SQL(", ").join(map(sql.Identifier, names))
    connection.execute(
        sql.SQL("INSERT INTO {old} ({listed}) SELECT {listed} FROM {new}").format(listed=listed, **parts)
    )
