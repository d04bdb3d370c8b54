"""A restore onto live tables: what it would change (compared in a throwaway server), and doing it in one transaction.

In: a manifest, a store, DSNs. Out: differences per table; the live tables equal the run, or are as they were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import psycopg

from backups import disk_space
from backups.archive.drill_database import Server, drill_database
from backups.archive.late_rows import LateRows, chosen
from backups.archive.loader import Loader
from backups.archive.manifest import Manifest, Table
from backups.archive.segment_codec import Damaged
from backups.archive.subset import in_order
from backups.progress import SILENT, Watch
from backups.restore.late_rows import copied_into, lay_over
from backups.restore.session import beat_seconds, writing
from providers import postgres
from providers.errors import ProviderError, Refused
from providers.postgres.connection import Connection, address, pin
from providers.postgres.error_facts import explain_load
from providers.postgres.restore.cascade_counts import Removal, rows_along
from providers.postgres.restore.side_effects import (
    Reference,
    references_in,
    refuse_more_touched,
    silent_triggers,
    touched,
)
from providers.storage.base import Missing, Store

BESIDE = "sampelit_ops_live"


@dataclass(frozen=True)
class Applied:
    removed: int
    written: int
    notes: tuple[str, ...] = ()
    not_valid: tuple[tuple[str, str, str], ...] = ()  # CHECKs: schema, table, name


def compare(
    manifest: Manifest,
    store: Store,
    identities: Sequence[str],
    live_dsn: str,
    watch: Watch = SILENT,
    server: Server | None = None,
) -> list[postgres.Difference]:
    """Load the run and a copy of the live tables into a throwaway server and compare; writes nothing to live."""
    disk_space.refuse_without(2 * manifest.raw_bytes, "Nothing was compared.")
    with drill_database(manifest, server, [BESIDE]) as drill:
        live = postgres.connect(live_dsn)
        try:
            return _compare(Loader(manifest, store, drill.connection, identities, watch, apart=True), live)
        except psycopg.Error as error:
            raise explain_load(error, "The comparison") from None
        finally:
            live.close()


def _compare(loader: Loader, live: Connection) -> list[postgres.Difference]:
    loader.build("before", everything=True)
    loader.load_all(loader.manifest.tables)
    loader.build("after", everything=True)
    if loader.problems:
        raise ProviderError("The run could not be loaded, so nothing was compared. " + " ".join(loader.problems[:5]))
    pin(loader.connection, read_only=False)  # whatever the run's own code set
    loader.take_off(nested=True)  # live rows need not pass them either
    _same_columns(loader.manifest, live)
    live.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    references = references_in(live, [table.qualified for table in loader.manifest.tables])
    return [_difference(loader, live, table, references) for table in loader.manifest.tables]


def _difference(loader: Loader, live: Connection, table: Table, references: Sequence[Reference]) -> postgres.Difference:
    """A keyless table has only counts to compare by."""
    loader.watch.check()
    key, beside = (table.schema, table.name), (BESIDE, table.name)
    names = [column.name for column in table.columns]
    postgres.copy_of(loader.connection, key, beside)
    form = max(table.formats, key="csv binary".index)
    stream = postgres.CopyOut(live, key, names, postgres.Range(), form)
    rows = postgres.copy_in(loader.connection, beside, names, form, stream)
    primary = postgres.primary_key(loader.connection, key)
    loader.watch.progress(rows, rows, "rows", f"comparing {table.qualified}")
    if primary:
        difference = postgres.difference(loader.connection, beside, key, names, primary)
    else:
        difference = postgres.Difference(table.qualified, table.rows, 0, rows)
    removal = Removal(key, beside, key, primary)
    along = rows_along(loader.connection, live, references, removal) if difference.missing else {}
    return replace(difference, table=table.qualified, along=tuple(sorted(along.items())))


def _same_columns(manifest: Manifest, live: Connection) -> None:
    catalog = postgres.read_catalog(live, [table.qualified for table in manifest.tables])
    now = {table.qualified: {(c.name, c.type) for c in table.stored_columns} for table in catalog.tables}
    for table in manifest.tables:
        before = {(column.name, column.type) for column in table.columns}
        if now.get(table.qualified) != before:
            changed = ", ".join(sorted(name for name, _ in before ^ now.get(table.qualified, set())))
            raise Refused(
                f"{table.qualified} has changed since {manifest.name} ({changed}). Nothing was written. "
                "Restore into scratch and bring the rows over by hand, or bring the schema back first."
            )


def apply(
    manifest: Manifest,
    store: Store,
    identities: Sequence[str],
    live_dsn: str,
    watch: Watch = SILENT,
    late_rows: Sequence[LateRows] = (),
    along: Mapping[str, int] | None = None,
) -> Applied:
    """Make the live tables equal to the run and what was kept after it, all or nothing.

    The caller checked every object before. `along`: of each other table so many rows may go with those that are
    removed, because people saw and approved it; none of the others'. Triggers of these tables do not fire.
    """
    with postgres.explained("The restore onto the live tables (which was rolled back)"):
        with writing(live_dsn, watch) as connection:
            _same_columns(manifest, connection)
            loader = Loader(manifest, store, connection, identities, watch, beat_seconds())
            with connection.transaction():
                done = _apply(loader, late_rows, along or {})
                watch.check()
            return done


def _apply(loader: Loader, late_rows: Sequence[LateRows], along: Mapping[str, int]) -> Applied:
    connection, tables = loader.connection, in_order(loader.manifest)
    names = [(table.schema, table.name) for table in tables]
    postgres.lock_tables(connection, names)
    with silent_triggers(connection, names):
        done, along = _bring(loader, tables, along)
        for table in tables:
            loader.compare_whole([table])
        if not loader.problems:
            lay_over(loader, chosen(late_rows, loader.manifest.tables, ""), aside=False)
    if loader.held:
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")  # ALTER TABLE waits for no deferred check
    notes = loader.put_checks_on()
    if loader.problems:
        said = f"The restore was rolled back; {address(connection.info.dsn)} is as it was."
        raise ProviderError(" ".join([said, *loader.problems[:5]]))
    refuse_more_touched(connection, [table.qualified for table in tables], along)
    return replace(done, notes=tuple(notes), not_valid=tuple(loader.not_valid))


def _bring(loader: Loader, tables: Sequence[Table], along: Mapping[str, int]) -> tuple[Applied, Mapping[str, int]]:
    """Where a CHECK refuses what it let pass once, all of it again without such; the first try's rows count as well."""
    try:
        with loader.connection.transaction():
            return _merge(loader, tables), along
    except (psycopg.Error, ProviderError) as error:
        passing = isinstance(error, psycopg.OperationalError) or (isinstance(error, ProviderError) and error.retryable)
        if passing or not loader.take_off(nested=True):
            raise
    loader.rows = 0
    undone = touched(loader.connection, [table.qualified for table in tables])
    return _merge(loader, tables), Counter(undone) + Counter(along)


def _merge(loader: Loader, tables: Sequence[Table]) -> Applied:
    """What refers to others is removed first and comes back last."""
    connection = loader.connection
    staged = {table.qualified: _stage(loader, number, table) for number, table in enumerate(tables)}
    keys = {table.qualified: postgres.primary_key(connection, (table.schema, table.name)) for table in tables}
    removed = written = 0
    for table in reversed(tables):
        name, key = (table.schema, table.name), keys[table.qualified]
        removed += postgres.remove_missing(connection, name, staged[table.qualified], key)
    for table in tables:
        loader.watch.check()
        name, columns = (table.schema, table.name), [column.name for column in table.columns]
        written += postgres.bring_back(connection, name, staged[table.qualified], columns, keys[table.qualified])
    return Applied(removed, written)


def _stage(loader: Loader, number: int, table: Table) -> tuple[str, str]:
    staged = postgres.stage(loader.connection, (table.schema, table.name), f"sampelit_ops_{number}")
    try:
        for rows in copied_into(loader, staged, table):
            loader.rows += rows
            loader.watch.progress(loader.rows, loader.manifest.rows, "rows", table.qualified)
    except (Damaged, Missing) as error:
        raise ProviderError(f"The restore was rolled back; nothing was changed. {error}.") from None
    return staged
