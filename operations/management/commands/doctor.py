"""`manage.py doctor [--environment E] [--only X] [--json]`: every check with what to do. Exit 1 when one is red."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from operations import doctor
from operations.models import Environment

GLYPHS = {"bad": "RED  ", "warn": "AMBER", "ok": "ok   ", "idle": "-    "}


class Command(BaseCommand):
    help = "Checks the portal and its environments live; says what was found, why it matters and how to fix it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--environment", default="", help="only this environment's databases")
        parser.add_argument(
            "--only", default="", help=f"a part of the checks' names, or one of {', '.join(doctor.names())}"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        environment = self._environment(options["environment"])
        checks = doctor.run(environment, options["only"])
        if options["json"]:
            result = {"status": doctor.worst(checks), "checks": [check.as_json() for check in checks]}
            self.stdout.write(json.dumps(result, ensure_ascii=False))
        else:
            self.stdout.write("\n".join(map(_text, checks)) or "No check has that name.")
        if doctor.worst(checks) == "bad":
            sys.exit(1)

    def _environment(self, slug: str) -> Environment | None:
        environment = Environment.objects.filter(slug=slug).first()
        if slug and environment is None:
            self.stderr.write(f"There is no environment {slug!r}. Nothing was checked.")
            sys.exit(2)
        return environment


def _text(check: doctor.Check) -> str:
    line = f"{GLYPHS[check.tone]} {check.name}: {check.found}"
    return line + (f"\n      fix: {check.fix}" if check.fix and check.tone in ("bad", "warn") else "")
