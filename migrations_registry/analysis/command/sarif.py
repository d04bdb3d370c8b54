"""Findings as SARIF 2.1.0, which GitHub shows beside the lines of a pull request."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from migrations_registry.analysis.model import CONVENTION, Analysis, Finding, Statement
from migrations_registry.analysis.risk import GRAVE

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def results(path: str, analysis: Analysis) -> list[dict[str, Any]]:
    """One file's findings above convention; notes would bury them."""
    return [
        _result(path, statement, finding)
        for statement in analysis.statements
        for finding in statement.findings
        if finding.severity != CONVENTION
    ]


def _result(path: str, statement: Statement, finding: Finding) -> dict[str, Any]:
    region = {"startLine": statement.line, "endLine": statement.end_line}
    place = {"artifactLocation": {"uri": path.replace("\\", "/")}, "region": region}
    return {
        "ruleId": finding.rule,
        "level": "error" if finding.severity in GRAVE else "warning",
        "message": {"text": f"{finding.severity}: {finding.message}. Instead: {finding.safe_form}"},
        "locations": [{"physicalLocation": place}],
    }


def document(found: Iterable[dict[str, Any]]) -> str:
    """The whole run."""
    listed = list(found)
    rules = [{"id": rule} for rule in sorted({result["ruleId"] for result in listed})]
    driver = {"name": "sampelit-analysis", "rules": rules}
    return json.dumps(
        {"$schema": SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": listed}]},
        ensure_ascii=False,
    )
