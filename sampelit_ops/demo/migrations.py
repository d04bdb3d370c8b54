"""The demo's registered migrations: one that is routine, one that blocks writers, one that destroys a column."""

from __future__ import annotations

from pathlib import Path

FILES = Path(__file__).parent / "files"


def register() -> int:
    """Register them once; how many contents are new."""
    from migrations_registry.services.registration import register_files
    from migrations_registry.sources.discovery import discover
    from migrations_registry.sources.reader import read_source

    migrations, _ = discover(read_source(str(FILES)))
    return len(register_files(migrations, source="demo checkout", by="operator"))
