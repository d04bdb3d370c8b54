"""One mechanism says how much a counted suite walks, it reaches the suites, and a test that hangs ends."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import portal_database, sampling, soak

ROOT = Path(__file__).resolve().parent


def test_only_sampling_reads_the_variables() -> None:
    reads = re.compile(r"(?:environ|getenv)\W[^\n]*(?:SOAK|OPS_TEST_)")
    readers = {path.name for path in ROOT.rglob("*.py") if reads.search(path.read_text())}

    assert readers == {"sampling.py", "soak.py", "test_sampling.py"}


def test_a_test_run_keeps_the_variables() -> None:
    variables = ["SOAK", *(f"OPS_TEST_{name}" for name in ("SEED", *sampling.SIZES))]

    assert [
        v for v in variables if v.startswith(portal_database.OUTSIDE) and not v.startswith(portal_database.KEPT)
    ] == []


def test_every_size_is_asked_for_by_a_suite_of_the_soak() -> None:
    walked = "\n".join(soak.suites().values())

    assert [name for name in sampling.SIZES if f" {name.lower().replace('_', ' ')}" not in walked] == []


@pytest.mark.parametrize(("variable", "size"), [("OPS_TEST_NOTHING", 2), ("SOAK", 500), ("OPS_TEST_WALKS", 1)])
def test_a_size(variable: str, size: int) -> None:
    code = "from tests import sampling; print(sampling.size('WALKS'))"
    environment = {"PATH": "", variable: "1"}

    said = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT.parent, env=environment, text=True)

    assert int(said) == size


def test_a_test_that_hangs_ends_the_run(tmp_path: Path) -> None:
    (tmp_path / "test_hangs.py").write_text("import threading\ndef test_it(): threading.Event().wait()\n")
    (tmp_path / "pyproject.toml").write_text(
        "[tool.pytest.ini_options]\n"
        + "".join(
            line + "\n" for line in (ROOT.parent / "pyproject.toml").read_text().splitlines() if "handler" in line
        )
    )
    argv = [sys.executable, "-m", "pytest", "-p", "no:django", "-o", "faulthandler_timeout=0.5", "test_hangs.py"]

    run = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    assert run.returncode == 1
    assert "Timeout" in run.stderr
