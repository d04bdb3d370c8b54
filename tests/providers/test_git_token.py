"""The token for a private repository reaches git, and nobody who looks at git's arguments or variables."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from providers.git.process import run
from providers.git.source import Source, access

TOKEN = "ghp_secret1234567890abcdef"
ASK = """#!/bin/sh
for process in $$ $PPID; do cat /proc/$process/environ /proc/$process/cmdline >> {shown}; done
printf 'protocol=https\\nhost={host}\\n\\n' | {git} "$@"
"""


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What every process of this user sees of git; a real git then asks its helper for a host's password."""
    monkeypatch.setenv("OPS_GIT_TOKEN", TOKEN)
    monkeypatch.setenv("OPS_GIT_HOST", "git.example")
    return tmp_path / "shown"


def fill(shown: Path, monkeypatch: pytest.MonkeyPatch, url: str, host: str) -> bytes:
    """`git credential fill` for this host, started as for a source at this URL."""
    script = shown.with_name("git")
    script.write_text(ASK.format(shown=shown, host=host, git=shutil.which("git")))
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(shown.parent), prepend=":")
    try:
        return run(["credential", "fill"], Source(url, "HEAD", (), {}, access().token_for(url)), 20, 20)
    except Exception as error:  # there is no password for it
        return str(error).encode()


@pytest.mark.parametrize(
    ("url", "host", "told"),
    [
        ("https://git.example/o/r", "git.example", True),
        ("https://git.example/o/r", "elsewhere.example", False),
        ("https://git.example/o/r", "git.example.evil.example", False),
        ("https://git.example/o/r", "git.example:8443", False),
        ("https://elsewhere.example/o/r", "git.example", False),
        ("https://elsewhere.example/o/r", "elsewhere.example", False),
    ],
)
def test_its_own_host_gets_it_and_nobody_sees_it(
    shown: Path, monkeypatch: pytest.MonkeyPatch, url: str, host: str, told: bool
) -> None:
    answer = fill(shown, monkeypatch, url, host)

    assert (f"password={TOKEN}".encode() in answer) is told
    assert b"credential" in shown.read_bytes()
    assert TOKEN.encode() not in shown.read_bytes()
    assert b"eC1hY2Nlc3MtdG9rZW4" not in shown.read_bytes()  # the same as HTTP would send it


def test_a_source_does_not_print_it() -> None:
    assert TOKEN not in repr(Source("https://git.example/o/r", "HEAD", (), {}, TOKEN))
