"""`sampelit-ops`: one name, called from anywhere, whose help shows our verbs and commands."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from operations.management.verbs import OF_ONE, OTHERS
from sampelit_ops.command_line import APPS, ROOT, as_managed, commands_of


@pytest.mark.parametrize(
    ("words", "managed"),
    [
        *((f"{verb} x", f"sampelit-ops ops {verb} x") for verb in (*OF_ONE, *OTHERS)),
        ("doctor --json", "sampelit-ops doctor --json"),
        ("verify_ledger", "sampelit-ops verify_ledger"),
        ("ops list", "sampelit-ops ops list"),
    ],
)
def test_a_verb_belongs_to_operations_and_a_command_to_itself(words: str, managed: str) -> None:
    assert as_managed(words.split()) == managed.split()


def test_no_verb_hides_a_command() -> None:
    assert {name for app in APPS for name in commands_of(app)} & {*OF_ONE, *OTHERS} == set()


def test_it_runs_from_elsewhere_and_shows_verbs_and_commands(tmp_path: Path) -> None:
    link = tmp_path / "sampelit-ops"
    link.symlink_to(ROOT / "bin" / "sampelit-ops")

    answer = subprocess.run([str(link), "--help"], cwd=tmp_path, capture_output=True, text=True, check=True)

    for name in (*OF_ONE, *OTHERS, "verify_ledger", "verify_run", "doctor", "recover_options"):
        assert name in answer.stdout
    assert "createsuperuser" not in answer.stdout
