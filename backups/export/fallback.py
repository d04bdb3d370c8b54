"""Which tables of a run are not wholly in the format that was asked for. In: a manifest. Out: sentences."""

from __future__ import annotations

from backups.archive.manifest import Manifest

TEXT = "{} has rows longer than PostgreSQL prints, so {} of its {} segments are binary instead of CSV."


def fallen_back(manifest: Manifest) -> list[str]:
    """A sentence a table; told in the log and on the run's page."""
    mixed = [(table, sum(part.format != table.format for part in table.segments)) for table in manifest.tables]
    return [TEXT.format(table.qualified, count, len(table.segments)) for table, count in mixed if count]
