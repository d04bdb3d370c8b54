"""What is in the way of a file on an environment, by what is baselined and by the last reading. Reads no target.

In: a file and a `Column`. Out: a sentence, or nothing where asking for it is not in vain.
"""

from __future__ import annotations

from migrations_registry.history.states import PENDING
from migrations_registry.history.status_cell import Column
from migrations_registry.history.status_matrix import columns
from migrations_registry.models import MigrationFile
from migrations_registry.models.applied import PATH
from operations.engine.specs import Consequence, Parameters
from operations.models import Environment


def in_the_way(file: MigrationFile, column: Column) -> str:
    """Its stream is not baselined, or earlier files of it were found pending."""
    slug = column.environment.slug
    if file.stream not in column.baselined:
        return (
            f"Its stream ({file.get_stream_display()}) is not baselined on {slug}: nobody knows which of its files are "
            "applied there, and applying one fails until that is agreed."
        )
    if column.states.get(str(file.pk), {}).get("state") != PENDING:
        return ""
    waiting = [row.name for row in _earlier(file) if column.states.get(str(row.pk), {}).get("state") == PENDING]
    comes = "comes" if len(waiting) == 1 else "come"
    return f"{', '.join(waiting[:5])} {comes} first on {slug}." if waiting else ""


def _earlier(file: MigrationFile) -> list[MigrationFile]:
    """Of its stream, in the order in which files belong."""
    rows = MigrationFile.objects.newest().filter(stream=file.stream).order_by("position", "path")
    place = (file.position, file.path)
    return [row for row in rows.only("path", "position") if (row.position, row.path) < place]


def told_before(environment: Environment, parameters: Parameters) -> list[Consequence]:
    """On the confirmation of one file: what is certain to fail, and what asks for everything before it too."""
    file = MigrationFile.objects.defer("content").filter(sha256=parameters["file"]).first()
    column = next(iter(columns(environment.slug)), None)
    if file is None or column is None or "out_of_order" in parameters or not (why := in_the_way(file, column)):
        return []
    return [Consequence(f"It is certain to fail for now. {why} {PATH} asks for what comes before it as well.", "bad")]
