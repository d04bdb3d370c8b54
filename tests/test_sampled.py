"""How many of the collected tests a run takes: of sampled tables, and of slow tests."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent
PYTEST = [sys.executable, "-m", "pytest", "-p", "no:django", "-p", "no:cacheprovider", "-p", "tests.sampled"]
TABLE = """
import pytest
@pytest.mark.sampled(4, by="kind")
@pytest.mark.parametrize("case", range(8))
@pytest.mark.parametrize("kind", ["read", "write"])
def test_table(kind, case): pass
def test_plain(): pass
"""


@pytest.mark.parametrize(
    ("variables", "arguments", "ran"),
    [
        ({}, ["test_table.py"], 5),
        ({"OPS_REQUIRE_ALL": "1"}, ["test_table.py"], 5),
        ({"SOAK": "1"}, ["test_table.py"], 17),
        ({}, ["test_table.py::test_table"], 16),
    ],
    ids=["a run", "the pipeline", "a soak", "named"],
)
def test_a_sampled_table(tmp_path: Path, variables: dict[str, str], arguments: list[str], ran: int) -> None:
    """Two of eight cases of each kind, whatever must not skip; what somebody names is never left out."""
    (tmp_path / "test_table.py").write_text(TABLE)
    environment = {"PATH": "", "PYTHONPATH": str(ROOT.parent), **variables}

    run = subprocess.run([*PYTEST, "-q", *arguments], cwd=tmp_path, capture_output=True, text=True, env=environment)

    assert f"{ran} passed" in run.stdout, run.stdout


SLOW = """
import pytest
@pytest.fixture
def db(): pass
@pytest.mark.slow
@pytest.mark.parametrize("case", range(12))
def test_process(case): pass
@pytest.mark.parametrize("case", range(8))
def test_database(case, db): pass
def test_plain(): pass
"""
SUITE = "[tool.pytest.ini_options]\ntestpaths = ['tests']\nmarkers = ['slow']\n"


@pytest.mark.parametrize(
    ("turns", "variables", "arguments", "ran"),
    [
        ("8 9 10 11", {}, [], 6),
        ("8", {}, ["-n2"], 6),
        ("8", {"OPS_TEST_PARTS": "1"}, [], 21),
        ("8", {"SOAK": "1"}, [], 21),
        ("8", {}, ["tests/test_slow.py"], 21),
    ],
    ids=["a run", "in two processes", "the pipeline", "a soak", "named"],
)
def test_slow_tests_take_turns(
    tmp_path: Path, turns: str, variables: dict[str, str], arguments: list[str], ran: int
) -> None:
    """Five of twenty that need a database or a process, all that need neither; four days in a row take all."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_slow.py").write_text(SLOW)
    (tmp_path / "pyproject.toml").write_text(SUITE)
    seen: set[str] = set()
    for turn in turns.split():
        environment = {"PATH": "", "PYTHONPATH": str(ROOT.parent), "OPS_TEST_TURN": turn, **variables}

        run = subprocess.run([*PYTEST, "-v", *arguments], cwd=tmp_path, capture_output=True, text=True, env=environment)

        assert f"{ran} passed" in run.stdout, run.stdout
        seen.update(re.findall(r"test_\w+\[\d+\]", run.stdout))
    assert len(seen) == (5 if ran == 6 and turns == "8" else 20)
