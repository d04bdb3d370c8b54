"""What lies beside the data for people without the portal: HOW-TO-RESTORE.md and the schema as plain SQL files."""

from __future__ import annotations

from pathlib import Path

from backups.archive.manifest import Manifest
from providers.storage.base import AlreadyStored, Store

HOWTO_KEY = "HOW-TO-RESTORE.md"
TEXT = Path(__file__).with_name("howto.md")


def schema_sql(manifest: Manifest, phase: str) -> bytes:
    """The statements of one phase as a psql script."""
    lines = [f"-- {item.kind} {item.name}\n{item.sql};\n" for item in manifest.statements if item.phase == phase]
    first = "SET check_function_bodies = off;  -- a function may use a table that comes later\n"
    return "\n".join([first, *lines]).encode()


def store_beside(store: Store, manifest: Manifest) -> None:
    """Store both scripts under the run's prefix, and the instructions once per store."""
    for phase in ("before", "after"):
        store.put_once(f"{manifest.prefix}schema-{phase}.sql", schema_sql(manifest, phase))
    try:
        store.put_once(HOWTO_KEY, TEXT.read_bytes())
    except AlreadyStored:
        return  # an older edition is there; what is in a backup store is never overwritten
