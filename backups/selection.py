"""Narrowing a manifest to the tables that a restore wants. In: a manifest. Out: a smaller manifest, or Refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from backups.manifest import Manifest, Statement
from providers.errors import Refused


def narrowed(manifest: Manifest, tables: Sequence[str] = ()) -> Manifest:
    """Only the named tables ("name" means public). Raises Refused for a table that the run does not hold."""
    if not tables:
        return manifest
    wanted = {name if "." in name else f"public.{name}" for name in tables}
    known = {table.qualified for table in manifest.tables}
    if wanted - known:
        missing = ", ".join(sorted(wanted - known))
        raise Refused(
            f"Run {manifest.run} holds no table {missing}. Nothing was written. It holds: {_names(manifest)}."
        )
    kept = tuple(table for table in manifest.tables if table.qualified in wanted)
    statements = tuple(item for item in manifest.statements if _concerns(item, wanted))
    return replace(manifest, tables=kept, statements=statements)


def _names(manifest: Manifest) -> str:
    return ", ".join(table.qualified for table in manifest.tables)


def _concerns(item: Statement, wanted: set[str]) -> bool:
    return not item.table or (item.table in wanted and (not item.references or item.references in wanted))
