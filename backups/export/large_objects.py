"""The large objects of a run: pages beside the tables' rows, each part an object of the store.

In: the leader's session, the run's place. Out: objects, the statements of their rights, what could not be read.
"""

from __future__ import annotations

from dataclasses import asdict, replace

from backups.archive.manifest import Statement
from backups.export.schema import Place, Schema, stored
from backups.progress import Watch
from providers.postgres.connection import Connection
from providers.postgres.copy import large_objects

NAME = "large-objects"


def with_large_objects(leader: Connection, schema: Schema, whole: bool, place: Place, watch: Watch) -> Schema:
    """A run of named tables has none; both that and what the role may not read is said."""
    found, hidden = large_objects.readable(leader)
    if not whole:
        left = len(found) + hidden
        text = f"{left} large objects, because this is a run of named tables: a column of numbers will lead nowhere."
        return replace(schema, not_covered=(*schema.not_covered, *([text] if left else ())))
    objects = []
    for number, part in enumerate(large_objects.parts(found)):
        watch.check()
        digest = large_objects.part_evidence(leader, part).digest
        objects.append(stored(place, f"{NAME}-{number:04d}", large_objects.pages_out(leader, part), digest))
    said = f"{hidden} large objects that the role may not read: a column that holds their numbers will lead nowhere."
    return replace(
        schema,
        statements=(*schema.statements, *(Statement(**asdict(item)) for item in large_objects.rights(leader))),
        objects=(*schema.objects, *objects),
        not_covered=(*schema.not_covered, *([said] if hidden else ())),
    )
