"""Peers' own cases: our verdicts against theirs, and squawk-cli on the same cases in the same run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.model import CONVENTION
from tests import skips

pytestmark = pytest.mark.specs
TOLERATED = 0.02
DIFFERENCES = Path(__file__).resolve().parents[2] / "docs" / "analysis-differences.md"
# squawk's rules of style: it reports them on nearly every file, safe or not.
SQUAWK_STYLE = {
    "ban-char-field",
    "identifier-too-long",
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-identity",
    "prefer-robust-stmts",
    "prefer-text-field",
    "prefer-timestamp-tz",
    "require-lock-timeout",
    "require-statement-timeout",
    "require-table-schema",
    "require-timeout-settings",
    "require-enum-value-ordering",
}


@cache
def cases() -> list[dict[str, Any]]:
    """The corpus, line by line."""
    lines = skips.shared("corpus", "migrations.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def is_dangerous(case: dict[str, Any]) -> bool:
    """Whether we find anything above convention."""
    analysis = analyse(
        case["sql"].encode(),
        pg_version=int(case.get("pg_version", 17)),
        assume_in_transaction=bool(case.get("assume_in_transaction")),
    )
    return any(finding.severity != CONVENTION for finding in analysis.findings)


def differing(safe: bool) -> list[str]:
    """Ids of the cases of one kind that we judge otherwise."""
    return [case["id"] for case in cases() if case["safe"] is safe and is_dangerous(case) is safe]


@pytest.mark.parametrize("safe", [True, False])
def test_differs_from_peers_in_at_most_two_percent(safe: bool) -> None:
    allowed = TOLERATED * sum(case["safe"] is safe for case in cases())

    assert len(differing(safe)) <= allowed


def test_every_difference_is_explained() -> None:
    explained = DIFFERENCES.read_text(encoding="utf-8")

    assert [case for case in differing(True) + differing(False) if f"`{case}`" not in explained] == []


def squawk_reports(case: dict[str, Any], path: Path) -> set[str]:
    """The rules that squawk reports, its style rules left out."""
    path.write_text(case["sql"], encoding="utf-8")
    binary = shutil.which("squawk") or str(Path(sys.executable).with_name("squawk"))
    argv = [binary, "--reporter", "json", "--pg-version", f"{case.get('pg_version', 17)}.0", str(path)]
    if case.get("assume_in_transaction"):
        argv.insert(1, "--assume-in-transaction")
    answer = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    return {item["rule_name"] for item in json.loads(answer.stdout or "[]")} - SQUAWK_STYLE


def test_fewer_misses_and_fewer_false_alarms_than_squawk(tmp_path: Path) -> None:
    path = tmp_path / "case.sql"
    theirs = {case["id"]: bool(squawk_reports(case, path)) for case in cases()}
    misses = sum(not case["safe"] and not theirs[case["id"]] for case in cases())
    alarms = sum(case["safe"] and theirs[case["id"]] for case in cases())

    print(f"squawk {misses} misses, {alarms} false alarms; we {len(differing(False))} and {len(differing(True))}")
    assert len(differing(False)) < misses
    assert len(differing(True)) <= alarms
