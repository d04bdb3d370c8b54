"""`manage.py migrations_status --environment E`: applied, pending, changed, unknown, by the target's own history."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from migrations_registry import gate
from providers.errors import ProviderError, Refused


class Command(BaseCommand):
    help = "Where each registered migration stands on an environment's database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--environment", required=True)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **given: Any) -> None:
        try:
            rows = gate.status(gate.environment_of(given["environment"]))
        except (Refused, ProviderError) as error:
            raise CommandError(str(error), returncode=2) from error
        if given["json"]:
            self.stdout.write(json.dumps(rows, ensure_ascii=False))
            return
        for row in rows:
            late = " (out of order)" if row.get("out_of_order") else ""
            self.stdout.write(f"{row['state']:<13} {row['path']} {row.get('version', '')}{late}".rstrip())
