"""Every supported Python is named the same everywhere, and another one is told what is missing before it installs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUPPORTED = ["3.11", "3.12", "3.13", "3.14"]


def checked(version: tuple[int, ...], without: str = "") -> str:
    """What the check says under this version, and where a module or program is not to be found."""
    text = (ROOT / "bin" / "check_python.py").read_text()
    lies = (
        "import importlib.util, shutil, sys;"
        f"sys.version_info = {version};"
        f"find, which = importlib.util.find_spec, shutil.which;"
        f"importlib.util.find_spec = lambda name: None if name == {without!r} else find(name);"
        f"shutil.which = lambda name: None if name == {without!r} else which(name);"
    )
    done = subprocess.run([sys.executable, "-c", f"{lies}\nexec({text!r})"], capture_output=True, text=True)
    return done.stderr if done.returncode else ""


@pytest.mark.parametrize("version", SUPPORTED)
def test_a_supported_python_is_taken(version: str) -> None:
    assert checked((*map(int, version.split(".")), 1)) == ""


@pytest.mark.parametrize("version", [(3, 8, 10), (3, 10, 14), (3, 15, 0), (4, 0, 0)])
def test_another_is_told_which_are(version: tuple[int, ...]) -> None:
    told = checked(version)

    assert "Python 3.11 to 3.14" in told
    assert ".".join(map(str, version)) in told
    assert "Nothing was installed" in told


@pytest.mark.parametrize("missing", ["ensurepip", "venv", "git"])
def test_what_else_is_missing_is_named(missing: str) -> None:
    assert missing in checked((3, 12, 1), without=missing)


def test_the_same_versions_are_named_everywhere() -> None:
    makefile = (ROOT / "Makefile").read_text()
    readme = (ROOT / "README.md").read_text()

    assert re.findall(r"python(3\.\d+)", makefile.partition("\n\n")[0])[:4] == SUPPORTED
    assert "You need Python 3.11, 3.12, 3.13 or 3.14" in readme


def test_make_prefers_the_python_that_is_named() -> None:
    done = subprocess.run(
        ["make", "-n", "-B", "run", "PYTHON=python-of-nobody"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "python-of-nobody bin/check_python.py && python-of-nobody -m venv" in done.stdout
