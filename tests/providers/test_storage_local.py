"""A store in a directory, found again by its URL whatever the directory is called."""

from __future__ import annotations

from pathlib import Path

from providers.storage.factory import open_store
from providers.storage.local import LocalStore


def test_a_directory_of_any_name_is_found_by_its_url(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "my C# 100% ?dir")
    store.put_once("a/b", b"one")

    assert open_store(store.url).get("a/b") == b"one"
