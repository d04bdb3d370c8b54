"""A proven run, restored into a drill's database for as long as a rehearsal takes.

In: a run, what the target's platform provides, how many bytes of rows may be loaded. Out: sessions of the copy's owner;
server and database are gone after the block, however it ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from backups import disk_space
from backups.archive import keys
from backups.archive.drill_database import LEFT_OUT, Drill, drill_database
from backups.archive.loader import Loader
from backups.archive.manifest import Manifest
from backups.models import Run
from backups.progress import Watch
from backups.stores.trusted_manifest import store_of, trusted_manifest
from providers import postgres
from providers.errors import ProviderError
from providers.postgres.connection import Connection
from providers.postgres.migrate.history import ensure_history
from providers.postgres.schema.platform_objects import Around, stand_in

HISTORY_SCHEMA = "supabase_migrations"
MOST_TOLD = 20


@dataclass(frozen=True)
class Restored:
    """`own` runs the files, `other` looks on. `rows` by table; `missing`: what the copy has not, in sentences;
    `stood_in`: what it has in the place of the platform's own."""

    own: Connection
    other: Connection
    rows: dict[str, int]
    missing: tuple[str, ...]
    stood_in: tuple[str, ...] = ()


@contextmanager
def restored(run: Run, watch: Watch, around: Around, *, schema_only: bool) -> Iterator[Restored]:
    """Raises ProviderError where the run cannot be restored; nothing was rehearsed then."""
    store = store_of(run)
    manifest = trusted_manifest(run, store)
    loaded = 0 if schema_only else manifest.raw_bytes
    disk_space.refuse_without(loaded, "The rehearsal did not happen; nothing was changed.")
    with drill_database(manifest, schemas=[HISTORY_SCHEMA], may_create=True, extensions=around.extensions) as drill:
        loader = Loader(manifest, store, drill.connection, keys.identities(), watch, denied=LEFT_OUT, lenient=True)
        missing = _load(loader, drill, schema_only=schema_only)
        stood_in = stand_in(drill.connection, around.platform)
        ensure_history(drill.connection)
        drill.connection.execute("ANALYZE")
        with (
            postgres.connect(drill.login, read_only=False) as own,
            postgres.connect(drill.login, read_only=False) as other,
        ):
            yield Restored(own, other, _rows(manifest, schema_only), tuple(missing[:MOST_TOLD]), tuple(stood_in))


def _load(loader: Loader, drill: Drill, *, schema_only: bool) -> list[str]:
    """Build and fill it; what could not be rebuilt here, in sentences."""
    missing = [*drill.not_the_same, *loader.build("before", everything=True)]
    loader.load_all(() if schema_only else loader.present())
    missing += [*loader.build("after", everything=True), *loader.amber.values(), *loader.stand_ins]
    if loader.problems:
        raise ProviderError(
            f"{loader.manifest.name} could not be restored, so nothing was rehearsed: {loader.problems[0]}"
        )
    return list(dict.fromkeys(missing))


def _rows(manifest: Manifest, schema_only: bool) -> dict[str, int]:
    return {table.qualified: 0 if schema_only else table.rows for table in manifest.tables}
