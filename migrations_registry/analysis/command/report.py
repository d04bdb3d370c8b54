"""An analysis as one line of JSON, as text for people, and as an exit code (docs/design.md 11)."""

from __future__ import annotations

import json
from typing import Any

from migrations_registry.analysis.model import CONVENTION, DESTRUCTIVE, OPAQUE, Analysis, Finding, Statement


def exit_code(analysis: Analysis) -> int:
    """0 nothing dangerous, 1 destructive, 2 opaque or unparsed, which wins."""
    if any(finding.severity == OPAQUE for finding in analysis.findings):
        return 2
    return 1 if analysis.risk == DESTRUCTIVE else 0


def as_dict(path: str, analysis: Analysis) -> dict[str, Any]:
    """The object that `analyze_sql --format json` prints."""
    return {
        "path": path,
        "statements": [_statement(statement) for statement in analysis.statements],
        "risk": analysis.risk,
    }


def _statement(statement: Statement) -> dict[str, Any]:
    return {
        "line": statement.line,
        "end_line": statement.end_line,
        "sql": statement.sql,
        "findings": [finding_dict(finding) for finding in statement.findings],
    }


def finding_dict(finding: Finding) -> dict[str, Any]:
    """One finding with its seven keys."""
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "lock": finding.lock,
        "rewrite": finding.rewrite,
        "scan": finding.scan,
        "message": finding.message,
        "safe_form": finding.safe_form,
    }


def as_json(path: str, analysis: Analysis) -> str:
    """One line."""
    return json.dumps(as_dict(path, analysis), ensure_ascii=False)


def as_text(path: str, analysis: Analysis) -> str:
    """Findings above convention beside their lines; advice only counted."""
    lines = [f"{path}: {analysis.risk}"]
    for statement in analysis.statements:
        for finding in statement.findings:
            if finding.severity != CONVENTION:
                lines += _lines(path, statement, finding)
    advice = sum(finding.severity == CONVENTION for finding in analysis.findings)
    return "\n".join([*lines, f"  {advice} notes and conventions not shown (--format json)."] if advice else lines)


def _lines(path: str, statement: Statement, finding: Finding) -> list[str]:
    marks = [finding.lock or "no lock", *(["rewrite"] if finding.rewrite else []), *(["scan"] if finding.scan else [])]
    return [
        f"{path}:{statement.line}: {finding.severity} {finding.rule}: {finding.message} [{', '.join(marks)}]",
        f"    instead: {finding.safe_form}",
    ]
