"""Fixtures of the providers' tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def home() -> Iterator[Path]:
    """A traversable directory of our own: pytest's tmp_path is 0700 and would hide it from the server's account."""
    with tempfile.TemporaryDirectory(prefix="embedded-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)
