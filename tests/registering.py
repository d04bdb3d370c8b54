"""Registered contents and people for tests of the migrations registry."""

from __future__ import annotations

import hashlib

from migrations_registry.models import MigrationFile
from migrations_registry.services.registration import register_files
from migrations_registry.sources.discovery import DiscoveredFile

CALM, BAD = b"ALTER TABLE orders ADD COLUMN x int;\n", b"-- old\nALTER TABLE orders DROP COLUMN note;\n"


def found(data: bytes, path: str = "migration_01_a.sql") -> DiscoveredFile:
    """A discovered file."""
    return DiscoveredFile(path, hashlib.sha256(data).hexdigest(), "migration", "01", data)


def registered(data: bytes, path: str = "migration_01_a.sql") -> MigrationFile:
    """A registered content."""
    register_files([found(data, path)], source="test", by="operator")
    return MigrationFile.objects.get(path=path, sha256=hashlib.sha256(data).hexdigest())
