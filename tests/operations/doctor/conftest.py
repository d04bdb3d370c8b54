"""An environment and an empty store for the doctor's tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings


@pytest.fixture
def store(settings: Settings, tmp_path: Path) -> Path:
    settings.BACKUP_STORE = f"file://{tmp_path}/store"
    return tmp_path / "store"
