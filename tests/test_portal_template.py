"""A kept test database is that of the present sources: whatever `migrate` reads makes another one."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from pytest_django.fixtures import Settings

from tests import portal_template


@pytest.mark.parametrize("name", ["app/migrations/0001_initial.py", "app/migrations/guard.sql", "app/models/row.py"])
def test_whatever_decides_makes_another_one(name: str, settings: Settings, tmp_path: Path) -> None:
    settings.BASE_DIR = tmp_path
    source = tmp_path / name
    source.parent.mkdir(parents=True)
    nothing = portal_template.key()

    source.write_text("one")
    first = portal_template.key()
    source.write_text("two")

    assert len({nothing, first, portal_template.key()}) == 3


def test_nothing_is_left_to_migrate(db: None) -> None:
    executor = MigrationExecutor(connection)

    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []
