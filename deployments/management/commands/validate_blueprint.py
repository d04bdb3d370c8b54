"""`sampelit-ops validate_blueprint FILE [--offline] [--json]`: our rules and Render's verdict. Exit 1: invalid."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from deployments.blueprint.rules.check import check
from deployments.render.client import configured, render
from providers.answers import Answer, AnsweringCommand
from providers.errors import ProviderError, Refused
from providers.render.records import BlueprintCheck


class Command(AnsweringCommand):
    help = "Holds a render.yaml against Render's published rules, line by line; with a key it also asks Render."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--offline", action="store_true", help="do not ask Render")

    def answer(self, options: dict[str, Any]) -> Answer:
        try:
            content = options["file"].read_bytes()
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}") from error
        faults = check(content)
        answer = None if options["offline"] or not configured() else _asked(content)
        valid = not any(fault.tone == "bad" for fault in faults) and (answer is None or answer.valid)
        word = answer and {"valid": answer.valid, "errors": answer.errors, "plan": dict(answer.plan)}
        return Answer(
            {"valid": valid, "faults": [asdict(fault) for fault in faults], "render": word},
            [*_lines(faults, answer), "valid" if valid else "invalid"],
            code=0 if valid else 1,
            follow="commit it." if valid else "mend the lines above, then validate again.",
        )


def _lines(faults: list[Any], answer: BlueprintCheck | None) -> list[str]:
    lines = [f"{'note: ' if fault.tone == 'warn' else ''}{fault}" for fault in faults]
    if answer is None:
        return [*lines, "Render was not asked: its own word needs RENDER_API_KEY."]
    return (
        lines if answer.valid else [*lines, *([f"Render: {error}" for error in answer.errors] or ["Render: invalid"])]
    )


def _asked(content: bytes) -> BlueprintCheck:
    try:
        api = render(deadline=20.0)
        owner = next(api.owners.list(), None)
        if owner is None:
            raise CommandError("This key reaches no workspace.")
        return api.blueprints.validate(owner.id, content)
    except (ProviderError, Refused) as error:
        raise CommandError(str(error)) from error
