"""An environment and an empty store for the doctor's tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from operations.models import Environment


@pytest.fixture
def production(db: None) -> Environment:
    return Environment.objects.create(slug="production", name="Production", kind="production", protected=True)


@pytest.fixture
def store(settings: Settings, tmp_path: Path) -> Path:
    settings.BACKUP_STORE = f"file://{tmp_path}/store"
    return tmp_path / "store"
