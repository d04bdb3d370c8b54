"""`make lint` tells of known holes where it can ask, else that it cannot; it writes a bill of materials offline."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bin import audit

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
HOLE = {"id": "PYSEC-1", "fix_versions": ["2.0"]}
CLEAN = {"name": "a", "version": "1.0", "vulns": []}
HOLED = {"name": "b", "version": "1.0", "vulns": [HOLE, {"id": "GHSA-2", "fix_versions": []}]}
UNKNOWN = {"name": "c", "skip_reason": "not found"}


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip-audit is a program of the test."""
    monkeypatch.setattr(audit, "BIN", tmp_path)
    monkeypatch.setattr(audit, "bill_of_materials", lambda: None)


def answers(directory: Path, text: str) -> None:
    program = directory / "pip-audit"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\nexit 1\n")
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("dependencies", "code", "told"),
    [
        ([CLEAN, UNKNOWN], 0, "nothing known against"),
        ([HOLED, CLEAN], 1, "b 1.0 has PYSEC-1, fixed in 2.0"),
        ([HOLED], 1, "GHSA-2, fixed in no version yet"),
        ([UNKNOWN, UNKNOWN], 0, "SKIPPED"),
        ([], 0, "SKIPPED"),
    ],
)
def test_holes_fail_and_silence_is_told(
    asked: None, tmp_path: Path, capsys: Any, dependencies: list[Any], code: int, told: str
) -> None:
    answers(tmp_path, json.dumps({"dependencies": dependencies}))

    assert audit.main() == code
    assert told in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "Traceback", "{}", "[]", '{"dependencies": null}'])
def test_what_is_no_answer_is_no_clean_bill(asked: None, tmp_path: Path, capsys: Any, text: str) -> None:
    answers(tmp_path, text)

    assert audit.main() == 0
    assert "SKIPPED" in capsys.readouterr().out


def test_the_bill_of_materials_names_every_locked_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text((ROOT / "requirements.txt").read_text())
    monkeypatch.setattr(audit, "ROOT", tmp_path)

    audit.bill_of_materials()

    bill = json.loads((tmp_path / "build" / "sbom.json").read_text())
    locked = dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    assert bill["bomFormat"] == "CycloneDX"
    assert {each["name"]: each["version"] for each in bill["components"]} == locked
