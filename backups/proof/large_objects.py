"""Loading a run's large objects. In: a loader whose tables are there. Out: its `problems` grow."""

from __future__ import annotations

import psycopg

from backups.archive.loader import Loader
from backups.archive.schema_proof import fetched
from backups.archive.segment_codec import Damaged, unpack
from providers.postgres.copy import large_objects
from providers.postgres.error_facts import facts_of, is_of_the_server
from providers.storage.base import Missing


def load_large_objects(loader: Loader) -> None:
    """Each part in a transaction of its own, compared at once."""
    for part in loader.manifest.large_objects:
        loader.watch.check()
        try:
            with loader.connection.transaction():
                blocks = unpack(fetched(loader, part.key), part, loader.identities)
                found = large_objects.pages_in(loader.connection, blocks)
        except (Missing, Damaged) as error:
            loader.problems.append(f"{part.key}: {error}.")
        except psycopg.Error as error:
            if is_of_the_server(error):
                raise
            said = facts_of(error, loader.manifest.names)
            loader.problems.append(f"{part.key}: large objects could not be made: {said}.")
        else:
            if found.digest != part.digest:
                loader.problems.append(f"{part.key}: a large object differs from the snapshot.")
