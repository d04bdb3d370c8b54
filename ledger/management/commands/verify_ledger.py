"""`manage.py verify_ledger [--json]`: recompute the whole ledger. Exit 0 when it is valid, 1 when it is not."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ledger.services import VerificationReport, verify_and_tell


class Command(BaseCommand):
    help = "Recomputes every hash of the ledger and compares it with the head row and all anchors."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        report = verify_and_tell()
        self.stdout.write(json.dumps(report.as_json()) if options["json"] else _text(report))
        if not report.valid:
            sys.exit(1)


def _text(report: VerificationReport) -> str:
    lines = [f"{report.entries} entries, head {report.head[:16]}, {report.anchors} anchors compared"]
    lines += [f"  entry {problem.sequence}: {problem.problem}" for problem in report.problems]
    lines.append("The ledger is valid." if report.valid else f"NOT VALID: {len(report.problems)} problems.")
    return "\n".join(lines)
