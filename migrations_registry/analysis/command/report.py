"""An analysis as one line of JSON, as text for people, and as an exit code (docs/design.md 11)."""

from __future__ import annotations

from functools import lru_cache
from json.encoder import encode_basestring as _quoted  # as json.dumps writes a text, with ensure_ascii=False

from migrations_registry.analysis.model import CONVENTION, DESTRUCTIVE, OPAQUE, Analysis, Finding, Statement

_WRITTEN = {None: "null", True: "true", False: "false"}


def exit_code(analysis: Analysis) -> int:
    """0 nothing dangerous, 1 destructive, 2 opaque or unparsed, which wins."""
    if any(finding.severity == OPAQUE for finding in analysis.findings):
        return 2
    return 1 if analysis.risk == DESTRUCTIVE else 0


def as_json(path: str, analysis: Analysis) -> str:
    """The object that `analyze_sql --format json` prints, in one line."""
    statements = ", ".join(map(_statement, analysis.statements))
    return f'{{"path": {_quoted(path)}, "statements": [{statements}], "risk": {_quoted(analysis.risk)}}}'


def _statement(statement: Statement) -> str:
    findings = ", ".join(map(_finding, statement.findings))
    place = f'"line": {statement.line}, "end_line": {statement.end_line}'
    return f'{{{place}, "sql": {_quoted(statement.sql)}, "findings": [{findings}]}}'


@lru_cache(4096)
def _finding(finding: Finding) -> str:
    """Many files are told the same."""
    lock = _WRITTEN[None] if finding.lock is None else _quoted(finding.lock)
    costs = f'"lock": {lock}, "rewrite": {_WRITTEN[finding.rewrite]}, "scan": {_WRITTEN[finding.scan]}'
    told = f'"message": {_quoted(finding.message)}, "safe_form": {_quoted(finding.safe_form)}'
    return f'{{"rule": {_quoted(finding.rule)}, "severity": {_quoted(finding.severity)}, {costs}, {told}}}'


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
    marks = [f"lock: {finding.lock or 'none'}"]
    marks += ["writes all rows anew"] * finding.rewrite + ["reads all rows"] * finding.scan
    return [
        f"{path}:{statement.line}: {finding.severity} {finding.rule}: {finding.message} [{', '.join(marks)}]",
        f"    instead: {finding.safe_form}".replace("\n", "\n      "),
    ]
