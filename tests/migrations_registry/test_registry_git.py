"""Migrations read from a Git repository at a commit, and what is refused."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from migrations_registry.sources import read_source
from providers import git
from providers.errors import ProviderError, Refused


@pytest.fixture
def repository(tmp_path: Path) -> tuple[str, str]:
    """(URL, first commit) of a repository whose second commit changes the file."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    for text in ("SELECT 1", "SELECT 2"):
        (tmp_path / "schema_a.sql").write_text(text)
        subprocess.run([*git, "add", "schema_a.sql"], check=True)
        subprocess.run([*git, "commit", "-q", "-m", text], check=True)
    first = subprocess.run([*git, "rev-parse", "HEAD~1"], check=True, capture_output=True, text=True).stdout.strip()
    return f"file://{tmp_path}", first


def test_git_is_read_at_a_commit(repository: tuple[str, str]) -> None:
    url, first = repository

    assert read_source(url) == [("schema_a.sql", b"SELECT 2")]
    assert read_source(f"{url}@{first}") == [("schema_a.sql", b"SELECT 1")]
    assert read_source(f"{url}@{first[:9]}") == [("schema_a.sql", b"SELECT 1")]
    assert read_source(f"{url.removeprefix('file://')}@{first}") == [("schema_a.sql", b"SELECT 1")]


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("https://host/o/r.git", ("https://host/o/r.git", "HEAD")),
        ("https://host/o/r@v1.2", ("https://host/o/r", "v1.2")),
        ("ssh://git@host/o/r@main", ("ssh://git@host/o/r", "main")),
        ("git@host:o/r.git", ("git@host:o/r.git", "HEAD")),
        ("git@host:o/r.git@feature/x", ("git@host:o/r.git", "feature/x")),
    ],
)
def test_the_commit_is_told_from_the_user(source: str, parts: tuple[str, str]) -> None:
    assert git.is_url(source)
    assert git._split(source) == parts


@pytest.mark.parametrize("source", ["https://u:p@host/r", "https://host/r@--upload-pack=x", "file:///nonexistent/r"])
def test_git_refuses(source: str) -> None:
    with pytest.raises((Refused, ProviderError), match="othing was read"):
        read_source(source)
