"""`manage.py migrations_status [--environment E]`: every file on every environment, by the targets' own histories.

Reads the targets whose DSN this process has, unless --kept; prints what the status page shows. Exit 0; 2 where the one
environment asked for could not be read now.
"""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from migrations_registry.history import readings, status_matrix
from operations.dsns import environment_named
from providers.errors import Refused


class Command(BaseCommand):
    help = "Where each registered migration stands on each environment's database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--environment", default="", help="only this one; default: all of them")
        parser.add_argument("--kept", action="store_true", help="print the last reading, ask no target")
        parser.add_argument("--json", action="store_true", help="one JSON list of file × environment")

    def handle(self, *args: Any, **given: Any) -> None:
        if not given["kept"]:
            self._read(given["environment"])
        shown = status_matrix.columns(given["environment"])
        rows = status_matrix.as_json(status_matrix.streams(shown), shown)
        if given["json"]:
            self.stdout.write(json.dumps(rows, ensure_ascii=False))
            return
        for column in shown:
            read = f"read {column.read_at:%Y-%m-%d %H:%M:%S} UTC" if column.read_at else "never read"
            self.stdout.write(f"{column.environment.slug}: {read}{f'. {column.problem}' if column.problem else ''}")
        for row in rows:
            note = f" ({row['note']})" if row["note"] else ""
            what = f"{row['path']} {row.get('version', '')}".rstrip()
            self.stdout.write(f"{row['environment']:<12} {row['state']:<14} {what}{note}")

    def _read(self, slug: str) -> None:
        if not slug:
            readings.refresh_all()
            return
        try:
            problem = readings.refresh(environment_named(slug)).problem
        except Refused as refusal:
            raise CommandError(str(refusal), returncode=2) from refusal
        if problem:
            raise CommandError(problem, returncode=2)
