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
DIFFERENCES = Path(__file__).with_name("analysis-differences.md")
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


def squawk_reports(folder: Path) -> dict[str, bool]:
    """Whether squawk reports a rule that is none of its style rules, by case; asked once for all cases alike."""
    binary = shutil.which("squawk") or str(Path(sys.executable).with_name("squawk"))
    reported = dict.fromkeys((case["id"] for case in cases()), False)
    for version, in_transaction in {_circumstances(case) for case in cases()}:
        alike = {
            str(folder / f"{number}.sql"): case
            for number, case in enumerate(cases())
            if _circumstances(case) == (version, in_transaction)
        }
        for path, case in alike.items():
            Path(path).write_text(case["sql"], encoding="utf-8")
        options = ["--assume-in-transaction"] if in_transaction else []
        argv = [binary, *options, "--reporter", "json", "--pg-version", f"{version}.0", *alike]
        answer = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        for item in json.loads(answer.stdout or "[]"):
            reported[alike[item["file"]]["id"]] |= item["rule_name"] not in SQUAWK_STYLE
    return reported


def _circumstances(case: dict[str, Any]) -> tuple[int, bool]:
    return int(case.get("pg_version", 17)), bool(case.get("assume_in_transaction"))


def test_fewer_misses_and_fewer_false_alarms_than_squawk(tmp_path: Path) -> None:
    theirs = squawk_reports(tmp_path)
    misses = sum(not case["safe"] and not theirs[case["id"]] for case in cases())
    alarms = sum(case["safe"] and theirs[case["id"]] for case in cases())

    print(f"squawk {misses} misses, {alarms} false alarms; we {len(differing(False))} and {len(differing(True))}")
    assert len(differing(False)) < misses
    assert len(differing(True)) <= alarms
