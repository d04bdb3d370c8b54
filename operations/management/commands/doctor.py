"""`sampelit-ops doctor [--environment E] [--only X] [--json]`: every check with what to do. Exit 1 when one is red."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from operations import doctor
from operations.dsns import environment_named
from providers.answers import Answer, AnsweringCommand, columns
from providers.errors import Refused

GLYPHS = {"bad": "RED  ", "warn": "AMBER", "ok": "ok   ", "idle": "-    "}


class Command(AnsweringCommand):
    help = "Checks the portal and its environments live; says what was found, why it matters and how to fix it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--environment", default="", help="only this environment's databases")
        parser.add_argument(
            "--only", default="", help=f"a part of the checks' names, or one of {', '.join(doctor.names())}"
        )

    def answer(self, options: dict[str, Any]) -> Answer:
        slug = options["environment"]
        checks = doctor.run(environment_named(slug, "nothing was checked") if slug else None, options["only"])
        if not checks and options["only"]:
            raise Refused(f"No check has the name {options['only']!r}; nothing was checked. Known: {_known()}.")
        worst = doctor.worst(checks)
        rows = columns((GLYPHS[check.tone], check.name, check.found) for check in checks)
        return Answer(
            {"status": worst, "checks": [check.as_json() for check in checks]},
            [line for check, row in zip(checks, rows, strict=True) for line in _lines(check, row)],
            code=1 if worst == "bad" else 0,
            follow="do what stands after fix:, then `sampelit-ops doctor` again."
            if worst in ("bad", "warn")
            else "nothing; all is well.",
        )


def _known() -> str:
    return ", ".join(doctor.names())


def _lines(check: doctor.Check, row: str) -> list[str]:
    return [row, f"       fix: {check.fix}"] if check.fix and check.tone in ("bad", "warn") else [row]
