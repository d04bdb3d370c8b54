"""`sampelit-ops analyze_sql` as CI calls it: JSON keys, exit codes, no portal database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import execute_from_command_line

REPOSITORY = Path(__file__).resolve().parents[2]
FINDING_KEYS = {"rule", "severity", "lock", "rewrite", "scan", "message", "safe_form"}


def code_of(*argv: str) -> int:
    """The exit code as the shell would see it, without the price of a process."""
    with pytest.raises(SystemExit) as end:
        execute_from_command_line(["manage.py", "analyze_sql", *argv])
        sys.exit(0)
    return int(str(end.value.code or 0))


def analyze_sql(*argv: str) -> subprocess.CompletedProcess[str]:
    """The command in a process whose DATABASE_URL leads nowhere."""
    environment = {**os.environ, "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nowhere"}
    command = [sys.executable, "manage.py", "analyze_sql", *argv]
    return subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """One file of each verdict."""
    texts = {"calm": "SELECT 1", "bad": "SELECT 1;\nDROP TABLE t", "dark": "DROP TABEL t"}
    for name, text in texts.items():
        (tmp_path / f"{name}.sql").write_text(text)
    return {name: str(tmp_path / f"{name}.sql") for name in [*texts, "absent"]}


def test_json_is_one_object_a_line(files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    code = code_of(files["calm"], files["bad"], "--format", "json", "--pg-version", "15", "--assume-in-transaction")

    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [set(file) for file in objects] == [{"path", "statements", "risk"}] * 2
    statement = objects[1]["statements"][1]
    assert (statement["line"], statement["end_line"], statement["sql"]) == (2, 2, "DROP TABLE t")
    assert all(set(finding) == FINDING_KEYS for finding in statement["findings"])
    assert statement["findings"][0]["rule"] == "MD-DROP-TABLE"
    assert statement["findings"][0]["lock"] == "ACCESS EXCLUSIVE"
    assert (code, objects[0]["risk"], objects[1]["risk"]) == (1, "routine", "destructive")


def test_unparsed_wins_over_destructive(files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    code = code_of(files["bad"], files["dark"], "--format", "json")

    assert code == 2
    assert json.loads(capsys.readouterr().out.splitlines()[1])["statements"][0]["findings"][0]["rule"] == "MP-UNPARSED"


def test_unreadable_and_usage_leave_with_three(files: dict[str, str]) -> None:
    unreadable = analyze_sql(files["absent"], files["bad"])

    assert unreadable.returncode == 3
    assert "MD-DROP-TABLE" in unreadable.stdout
    assert code_of("--nonsense") == 3
    assert code_of(files["calm"], "--pg-version", "new") == 3
    assert code_of(files["calm"]) == 0
