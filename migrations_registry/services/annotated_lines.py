"""A file's text as numbered lines with the findings of each statement below its last line."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field

from migrations_registry.analysis.model import (
    BLOCKING,
    COMPATIBILITY,
    CONVENTION,
    DATA,
    DESTRUCTIVE,
    EXECUTION,
    OPAQUE,
    REWRITE,
    SECURITY,
    Analysis,
    Finding,
)
from migrations_registry.models import MigrationFile

DIFF_LINES = 400
MOST_COMPARED = 1_500  # the time of difflib grows with the cube of lines that repeat
TITLES = {
    DESTRUCTIVE: "Destroys data",
    OPAQUE: "Cannot be read",
    SECURITY: "Security",
    BLOCKING: "Blocks others",
    REWRITE: "Writes the table anew",
    DATA: "Depends on the data",
    COMPATIBILITY: "Breaks running code",
    EXECUTION: "Execution",
    CONVENTION: "Note",
}
_BAD = {DESTRUCTIVE, OPAQUE, SECURITY}
MAX_LINES = 3_000


@dataclass
class Shown:
    """One finding as the page shows it."""

    rule: str
    tone: str
    title: str
    message: str
    facts: str
    safe_form: str
    line: int


@dataclass
class Line:
    """One line of SQL; `tone` is the worst of the statement it belongs to."""

    number: int
    text: str
    tone: str = ""
    findings: list[Shown] = field(default_factory=list)


def lines_of(text: str, analysis: Analysis) -> list[Line]:
    """Every line, up to MAX_LINES."""
    lines = [Line(number, content) for number, content in enumerate(text.rstrip("\n").split("\n")[:MAX_LINES], 1)]
    for statement in analysis.statements:
        shown = [show(finding, statement.line) for finding in statement.findings if finding.severity != CONVENTION]
        if not shown or statement.line > len(lines):
            continue
        last = min(statement.end_line, len(lines))
        tone = "bad" if any(finding.tone == "bad" for finding in shown) else "warn"
        for line in lines[statement.line - 1 : last]:
            line.tone = "bad" if tone == "bad" else line.tone or "warn"
        lines[last - 1].findings += shown
    return lines


def show(finding: Finding, line: int) -> Shown:
    """A finding in words."""
    facts = [
        finding.lock or "",
        "writes the table anew" if finding.rewrite else "",
        "reads every row" if finding.scan else "",
    ]
    return Shown(
        finding.rule,
        "bad" if finding.severity in _BAD else "warn",
        TITLES[finding.severity],
        finding.message,
        ", ".join(fact for fact in facts if fact),
        finding.safe_form,
        line,
    )


def notes_of(analysis: Analysis) -> list[Shown]:
    """Conventions and cheap locks, for the folded list."""
    return [
        show(finding, statement.line)
        for statement in analysis.statements
        for finding in statement.findings
        if finding.severity == CONVENTION
    ]


def diff_of(file: MigrationFile) -> list[tuple[str, str]]:
    """(tone, line) against the previous revision."""
    if file.previous is None:
        return []
    old, new = (revision.data.decode("utf-8", "replace").splitlines() for revision in (file.previous, file))
    if max(len(old), len(new)) > MOST_COMPARED:
        return [("", f"One of the revisions has more than {MOST_COMPARED:,} lines; compare them in their repository.")]
    lines = difflib.unified_diff(
        old, new, f"revision {file.previous.revision}", f"revision {file.revision}", lineterm="", n=2
    )
    tones = {"+": "ok", "-": "bad"}
    return [(tones.get(line[:1], ""), line) for line, _ in zip(lines, range(DIFF_LINES), strict=False)]
