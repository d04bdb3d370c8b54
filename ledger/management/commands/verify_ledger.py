"""`sampelit-ops verify_ledger [--json]`: recompute the whole ledger. Exit 0 when it is valid, 1 when it is not."""

from __future__ import annotations

from typing import Any

from ledger.services import VerificationReport, verify_and_tell
from providers.answers import Answer, AnsweringCommand


class Command(AnsweringCommand):
    help = "Recomputes every hash of the ledger and compares it with the head row and all anchors."

    def answer(self, options: dict[str, Any]) -> Answer:
        report = verify_and_tell()
        return Answer(
            report.as_json(),
            _lines(report),
            code=0 if report.valid else 1,
            follow="nothing; `sampelit-ops ledger compare FILE` compares it with what a collector kept."
            if report.valid
            else "keep the database as it is, compare with the witness and the collector, and tell the auditors.",
        )


def _lines(report: VerificationReport) -> list[str]:
    lines = [f"{report.entries} entries, head {report.head[:16]}, {report.anchors} anchors compared"]
    lines += [f"  entry {problem.sequence}: {problem.problem}" for problem in report.problems]
    lines.append("The ledger is valid." if report.valid else f"NOT VALID: {len(report.problems)} problems.")
    return lines
