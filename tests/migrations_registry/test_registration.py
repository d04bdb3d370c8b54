"""Registering what is known already: its place in the order changes, and that of no other content or path."""

from __future__ import annotations

import pytest

from migrations_registry.models import MigrationFile
from migrations_registry.services.registration import register_files
from migrations_registry.sources.discovery import DiscoveredFile, discover

pytestmark = pytest.mark.django_db
ONE, OTHER = b"CREATE TABLE a (id bigint);\n", b"CREATE TABLE b (id bigint);\n"
PATH, COPY, MORE = (f"database/schema/migration_0{number}_a.sql" for number in (1, 2, 3))


def discovered(*contents: tuple[str, bytes]) -> list[DiscoveredFile]:
    return discover(contents)[0]


def test_only_the_content_under_this_path_gets_the_new_place() -> None:
    register_files(discovered((PATH, ONE), (COPY, ONE), (MORE, OTHER)), source="tests", by="ana")
    register_files(discovered((PATH, OTHER)), source="tests", by="ana")
    before = {(row.path, row.revision): row.position for row in MigrationFile.objects.all()}

    again = [*discovered((MORE, OTHER)), *discovered((PATH, ONE))]
    new = register_files([*again[:1], *again[:1], *again[:1], *again], source="tests", by="ana")

    after = {(row.path, row.revision): row.position for row in MigrationFile.objects.all()}
    assert new == []
    assert after == before | {(MORE, 1): 4, (PATH, 1): 5}
