"""`manage.py validate_blueprint FILE [--offline] [--json]`: our rules and Render's verdict. Exit 1: invalid."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from deployments.blueprint.rules.check import check
from deployments.render.client import configured, render
from providers.errors import ProviderError, Refused
from providers.render.records import BlueprintCheck


class Command(BaseCommand):
    help = "Holds a render.yaml against Render's published rules, line by line; with a key it also asks Render."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--offline", action="store_true", help="do not ask Render")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            content = options["file"].read_bytes()
            faults = check(content)
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}") from error
        except Refused as error:
            raise CommandError(error.reason) from error
        answer = None if options["offline"] or not configured() else _asked(content)
        valid = not any(fault.tone == "bad" for fault in faults) and (answer is None or answer.valid)
        if options["json"]:
            self.stdout.write(
                json.dumps(
                    {
                        "valid": valid,
                        "faults": [asdict(fault) for fault in faults],
                        "render": answer
                        and {"valid": answer.valid, "errors": answer.errors, "plan": dict(answer.plan)},
                    }
                )
            )
        else:
            self._print(faults, answer, valid)
        sys.exit(0 if valid else 1)

    def _print(self, faults: list[Any], answer: BlueprintCheck | None, valid: bool) -> None:
        for fault in faults:
            self.stdout.write(f"{'note: ' if fault.tone == 'warn' else ''}{fault}")
        if answer is None:
            self.stdout.write("Render was not asked: its own word needs RENDER_API_KEY.")
        elif not answer.valid:
            self.stdout.write("\n".join(f"Render: {error}" for error in answer.errors) or "Render: invalid")
        self.stdout.write("valid" if valid else "invalid")


def _asked(content: bytes) -> BlueprintCheck:
    try:
        api = render(deadline=20.0)
        owner = next(api.owners.list(), None)
        if owner is None:
            raise CommandError("This key reaches no workspace.")
        return api.blueprints.validate(owner.id, content)
    except (ProviderError, Refused) as error:
        raise CommandError(str(error)) from error
