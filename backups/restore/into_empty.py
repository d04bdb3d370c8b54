"""The restore: check every object first, then bring the rows into a database in one transaction, or not at all.

A database that was made for the restore is filled by two sessions, and dropped by whoever made it where that fails.
In: a manifest, a store, a DSN that may write, a target. Out: a Restored report. Raises Refused before the first write,
ProviderError with the target unchanged afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from backups.archive import schema_proof
from backups.archive.late_rows import LateRows, chosen
from backups.archive.loader import Loader
from backups.archive.manifest import Manifest, Table
from backups.archive.reader import segment_problem
from backups.archive.subset import beside, moved, narrowed, refuse_unknown_chain
from backups.progress import SILENT, Watch
from backups.proof.large_objects import load_large_objects
from backups.restore import in_parts
from backups.restore.late_rows import lay_over
from backups.restore.session import beat_seconds, writing
from backups.restore.two_sessions import in_heaps, two_sessions
from providers import postgres
from providers.counting import first_of
from providers.errors import ProviderError, Refused
from providers.postgres.connection import Connection, address, pin
from providers.storage.base import Store

MOST_NOTES = 50


@dataclass(frozen=True)
class Target:
    """`schema` puts every table into that new schema; `tables` and `chain` restore only a part.

    `emptied`: the caller made sure that nothing is there, so it may even be the database that the run came from.
    `new`: the caller made the database for this restore and drops it where that fails, so two sessions bring it, and
    objects are checked as they are loaded.
    """

    dsn: str
    schema: str = ""
    tables: tuple[str, ...] = ()
    chain: str = ""
    emptied: bool = False
    new: bool = False

    @property
    def in_part(self) -> bool:
        return bool(self.schema or self.tables)


@dataclass(frozen=True)
class Restored:
    rows: int
    tables: int
    milliseconds: int
    notes: tuple[str, ...]


def check_objects(
    manifest: Manifest, store: Store, identities: Sequence[str], watch: Watch, late_rows: Sequence[Table] = ()
) -> None:
    """Read every object back before anything is written. Raises Refused naming all that is wrong."""
    problems = []
    segments = manifest.segments + [segment for table in late_rows for segment in table.segments]
    for number, segment in enumerate(segments, 1):
        watch.check()
        if problem := segment_problem(store, segment, identities, deep=True):
            problems.append(problem)
        watch.progress(number, len(segments), "segments", "checking")
    if problems:
        listed = " ".join(problems[:10])
        raise Refused(f"{manifest.name} is damaged; nothing was written to the target. {listed}")


def restore(
    manifest: Manifest,
    store: Store,
    identities: Sequence[str],
    target: Target,
    watch: Watch = SILENT,
    late_rows: Sequence[LateRows] = (),
) -> Restored:
    """All or nothing into a database where none of the tables exists yet; rows kept after the run are laid over."""
    began = time.monotonic()
    wanted = narrowed(manifest, target.tables)
    refuse_unknown_chain(wanted, target.chain)
    wanted = moved(wanted, target.schema) if target.schema else wanted
    extra = chosen(late_rows, wanted.tables, target.schema)
    if not target.new:
        check_objects(wanted, store, identities, watch, extra)
    with postgres.explained("The restore" + " (which was rolled back)" * (not target.new)):
        with writing(target.dsn, watch) as connection:
            existing = _refuse_taken(connection, wanted, manifest, target)
            _refuse_altered(Loader(manifest, store, connection, identities, watch, beat_seconds()))
            loader = Loader(beside(wanted, existing), store, connection, identities, watch, beat_seconds())
            notes = _restore_all(loader, target, extra)
    return Restored(loader.rows, len(wanted.tables), int((time.monotonic() - began) * 1000), tuple(notes))


def _restore_all(loader: Loader, target: Target, late_rows: Sequence[Table]) -> list[str]:
    target = replace(target, new=target.new and in_parts.is_empty(loader.connection))
    full = in_parts.locks_needed(loader.manifest) > in_parts.room(loader.connection)
    if target.new or (full and not target.in_part):
        return _in_parts(loader, target, late_rows)
    with loader.connection.transaction():
        notes = _fill(loader, target)
        if not loader.problems:
            notes += [*_differences(loader, target), *lay_over(loader, late_rows, aside=True)]
        if loader.problems:
            listed = " ".join(loader.problems[:10])
            raise ProviderError(f"The restore was rolled back; {address(target.dsn)} is as it was. {listed}")
        loader.watch.check()
    return notes


def _in_parts(loader: Loader, target: Target, late_rows: Sequence[Table]) -> list[str]:
    def fill() -> list[str]:
        notes = _fill(loader, target)
        loader.watch.check()
        return notes if loader.problems else [*notes, *lay_over(loader, late_rows, aside=True)]

    if not in_parts.is_empty(loader.connection):
        raise Refused(
            f"This run makes {in_parts.locks_needed(loader.manifest)} locks, and {address(target.dsn)} has room for "
            f"{in_parts.room(loader.connection)}. Nothing was written. Restore into an empty database, where a restore "
            "may be committed in parts, or raise max_locks_per_transaction there."
        )
    return in_parts.fill_in_parts(loader, target.dsn, fill, lambda: _differences(loader, target), dropped=target.new)


def _fill(loader: Loader, target: Target) -> list[str]:
    notes = loader.build("before", everything=True)
    if loader.problems:
        return notes
    _bring(loader, target)
    schema_proof.recompute(loader)
    if target.in_part and loader.manifest.large_objects:
        notes.append("Large objects are restored with a whole run only; none was.")
    else:
        load_large_objects(loader)
    for table in loader.manifest.audit_tables if target.chain else ():
        loader.rows -= postgres.keep_chain(loader.connection, (table.schema, table.name), target.chain)
    notes += loader.build("after", everything=True)
    return [*dict.fromkeys([*loader.manifest.not_covered, *loader.amber.values(), *notes])]


def _bring(loader: Loader, target: Target) -> None:
    if target.new and not target.chain:
        with two_sessions(loader, target.dsn) as pair:
            pair.bring()
    else:
        loader.load_all(loader.manifest.tables)
        for heap in in_heaps(loader.manifest.tables):
            loader.compare_whole(heap)


def _differences(loader: Loader, target: Target) -> list[str]:
    """What of the schema is not as it was in the source: only of a whole run, where it is the same on purpose."""
    if loader.problems or target.in_part:
        return []
    pin(loader.connection, read_only=False)
    found = schema_proof.compare(loader, str(loader.connection.info.user), drilled=False)
    return first_of([f"After the restore {item} ({item.reason or 'look there'})." for item in found], MOST_NOTES)


def _refuse_altered(whole: Loader) -> None:
    """What would be run must be what pg_dump wrote: whoever has the signing key may have put other statements there."""
    if problems := schema_proof.archive_problems(whole):
        raise Refused(f"{whole.manifest.name} was altered; nothing was written to the target. {' '.join(problems)}")


def _refuse_taken(connection: Connection, wanted: Manifest, manifest: Manifest, target: Target) -> set[str]:
    """The source itself and databases that hold such tables are refused, before the first write; other tables stay."""
    here, source = postgres.identity(connection), manifest.source
    same = here.system_identifier == source.system_identifier and here.database_name == source.database
    if same and source.system_identifier and not target.schema and not target.emptied:
        raise Refused(
            f"{address(target.dsn)} is the very database that {manifest.name} was taken from. Nothing was written. "
            "Restore into another database, or name a new schema."
        )
    if target.schema and postgres.schema_exists(connection, target.schema):
        raise Refused(f"{address(target.dsn)} already has a schema {target.schema}. Nothing was written. Name another.")
    existing = set(postgres.table_sizes(connection))
    taken = sorted(existing & {table.qualified for table in wanted.tables})
    if taken:
        raise Refused(
            f"{address(target.dsn)} already holds {', '.join(taken[:5])}. Nothing was written. "
            "Restore into an empty database."
        )
    return existing
