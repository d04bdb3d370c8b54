"""What a proof found that must never be: one Finding a kind and table, before it becomes an incident. Values only.

In: what the audit trail's checks counted. Out: findings, each with its sentence and its fingerprint.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from providers.postgres.audit_trail.chains import Damage
from providers.postgres.audit_trail.tamper import RowDifferences

KEPT_ROWS = 200
CODES = {
    "edited": ("row_edited", "{total} row{s} of {chains} chain{c} edited"),
    "conversion": ("conversion_changed", "{total} conversion{s} changed after {they} set"),
    "rows_removed": ("rows_removed", "{total} row{s} removed from {chains} chain{c}"),
    "tail_cut": ("tail_cut", "{total} row{s} cut off the end of {chains} chain{c}"),
    "chain_removed": ("chain_removed", "{chains} whole chain{c} with {total} row{s} removed"),
    "backdated": (
        "row_backdated",
        "{total} row{s} of {chains} chain{c} dated before the last good run, which had none",
    ),
    "unaudited": ("assignment_unaudited", "{total} assignment{s} without an audit row"),
}
PROBLEMS = {
    "hash": "content does not give its hash",
    "link": "does not link to the row before",
    "sequence": "number does not follow",
}


@dataclass(frozen=True)
class Finding:
    """`fingerprint` is the same exactly when the same rows differ in the same way. `rows` never leave the portal."""

    code: str
    subject: str
    summary: str
    total: int
    fingerprint: str
    rows: tuple[dict[str, Any], ...] = ()

    def document(self) -> dict[str, object]:
        """As it lies in the store beside the run: without the rows, which may be secret there."""
        names = ("code", "subject", "summary", "total", "fingerprint")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Examined:
    """`baseline` is the run that it was compared with; `not_compared` says why rows were not."""

    baseline: str = ""
    not_compared: str = ""
    rows_loaded: int = 0
    milliseconds: int = 0
    findings: tuple[Finding, ...] = ()
    verifier: dict[str, object] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        names = ("baseline", "not_compared", "rows_loaded", "milliseconds", "verifier")
        return {**{name: getattr(self, name) for name in names}, "findings": [f.document() for f in self.findings]}


def fingerprint(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


def altered_rows(subject: str, difference: RowDifferences) -> Finding:
    """What the comparison row by row, or with the assignments, counted of one kind."""
    code, words = CODES[difference.kind]
    many = difference.total != 1
    text = words.format(
        total=f"{difference.total:,}",
        chains=f"{difference.chains:,}",
        s="s" if many else "",
        c="s" if difference.chains != 1 else "",
        they="they were" if many else "it was",
    )
    mark = fingerprint(code, subject, difference.total, difference.mark)
    return Finding(code, subject, f"{subject}: {text}.", difference.total, mark, difference.rows)


def chain_broken(subject: str, damage: Damage) -> Finding:
    """Rows whose hash, link or number does not follow, recomputed from their content."""
    rows = tuple(
        {
            "id": f"{problem.chain}/{problem.sequence}",
            "chain": problem.chain,
            "sequence": problem.sequence,
            "problem": PROBLEMS[problem.problem],
            "before": {},
            "after": {},
        }
        for problem in damage.problems[:KEPT_ROWS]
    )
    many = ("row", "breaks") if damage.total == 1 else ("rows", "break")
    text = f"{subject}: {damage.total:,} {many[0]} {many[1]} a hash chain when recomputed."
    return Finding("chain_broken", subject, text, damage.total, fingerprint("chain_broken", subject, damage.mark), rows)


def table_gone(subject: str, rows: int, missing: Sequence[str] = ()) -> Finding:
    """`missing`: columns without which the table that is there is no audit trail."""
    today = (
        f"today it is no audit trail: it lacks {', '.join(missing)}"
        if missing
        else "today it is gone or no audit trail"
    )
    text = f"{subject} held {rows} audit rows in the last good run; {today}."
    return Finding("table_gone", subject, text, rows, fingerprint("table_gone", subject, rows))


def column_gone(subject: str, column: str, kind: str) -> Finding:
    """Its values cannot be compared any more: renamed or dropped, a person says which."""
    text = f"{subject}: the column {column} ({kind}) of the last good run is gone, so its values were not compared."
    return Finding("table_gone", f"{subject}.{column}", text, 1, fingerprint("column_gone", subject, column, kind))


def guards_changed(subject: str, changes: Sequence[str], mark: str) -> Finding:
    more = f" and {len(changes) - 5} more" if len(changes) > 5 else ""
    text = f"{subject}: what guards it changed since the last good run: {'; '.join(changes[:5])}{more}."
    return Finding("guard_changed", subject, text[:500], len(changes), fingerprint("guard_changed", subject, mark))
