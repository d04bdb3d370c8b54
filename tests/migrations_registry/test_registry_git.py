"""Migrations read from a Git repository at a commit, and what is refused."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from migrations_registry.sources.reader import read_source
from providers import git
from providers.errors import ProviderError, Refused
from providers.http import public_address


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
        ("https://host:8443/o/r@feature/x", ("https://host:8443/o/r", "feature/x")),
    ],
)
def test_the_commit_is_told_from_the_address(source: str, parts: tuple[str, str]) -> None:
    assert git.is_url(source)
    assert git.check_form(source) == parts


@pytest.mark.parametrize("source", ["https://u:p@host/r", "https://host/r@--upload-pack=x", "file:///nonexistent/r"])
def test_git_refuses(source: str) -> None:
    with pytest.raises((Refused, ProviderError), match="othing was read"):
        read_source(source)


@pytest.fixture
def fake_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git that tells its arguments and its settings, then hangs where it should reach a host."""
    place = tmp_path / "bin"
    place.mkdir()
    told = tmp_path / "told"
    script = f'#!/bin/sh\n(echo "$*"; tr "\\0" " " < /proc/self/environ) | tr "\\n" " " >> {told}\n'
    script += f"echo >> {told}\n"
    script += 'case "$*" in *init*) ;; *) sleep 60;; esac'
    (place / "git").write_text(script)
    (place / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(place), prepend=":")
    return told


@pytest.mark.parametrize(("host", "told"), [("git.example", True), ("elsewhere.example", False)])
def test_a_host_that_hangs_is_left_and_only_its_own_host_sees_the_token(
    fake_git: Path, monkeypatch: pytest.MonkeyPatch, host: str, told: bool
) -> None:
    monkeypatch.setattr(public_address, "_resolve", lambda host, port: ["93.184.216.34"])
    monkeypatch.setenv("OPS_GIT_TOKEN", "ghp_secret1234567890")
    monkeypatch.setenv("OPS_GIT_HOST", "git.example")

    with pytest.raises(ProviderError, match=r"within 0\.3 s; nothing was read") as error:
        read_source(f"https://{host}/o/r@main", seconds=0.3)

    assert error.value.retryable
    lines = fake_git.read_text().splitlines()
    assert [f"credential.https://{host}.helper=" in line for line in lines] == [told] * 2
    assert "ghp_secret" not in fake_git.read_text()
