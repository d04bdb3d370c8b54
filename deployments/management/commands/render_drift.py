"""`sampelit-ops render_drift -e ENVIRONMENT [FILE] [--json]`: render.yaml against live. Exit 0 same, 1 not, 3 none."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from deployments.blueprint import service as blueprint_service
from deployments.blueprint.compare import Difference
from deployments.blueprint.parse import MAX_BYTES, parse
from deployments.models import BlueprintFile
from deployments.variables.fingerprints import fingerprint
from operations.models import Environment
from providers.answers import Answer, AnsweringCommand, columns
from providers.errors import Refused

UNREADABLE = 3


class Command(AnsweringCommand):
    help = "Compares a render.yaml (FILE, - for standard input, or the one read last) with what runs on Render."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", help="compared and not kept; without it: the one read last")
        parser.add_argument("-e", "--environment", required=True)

    def answer(self, options: dict[str, Any]) -> Answer:
        environment = Environment.objects.filter(slug=options["environment"]).first()
        if environment is None:
            raise CommandError(f"There is no environment {options['environment']!r}.", returncode=UNREADABLE)
        found = self._found(environment, options["file"])
        rows = columns((line.where, line.what, f"file {line.file}", f"live {line.live}") for line in found)
        return Answer(
            [asdict(line) for line in found],
            [*rows, f"{len(found)} differences"],
            code=1 if found else 0,
            follow="change the file, or what runs; then compare again." if found else "nothing.",
        )

    def _found(self, environment: Environment, name: str | None) -> list[Difference]:
        if name is None:
            file = BlueprintFile.objects.filter(environment=environment).select_related("environment").first()
            if file is None:
                raise CommandError(
                    "No render.yaml was read yet. Give FILE, or request deployments.read_blueprint.",
                    returncode=UNREADABLE,
                )
            return blueprint_service.compare_again(file)
        try:
            content = sys.stdin.buffer.read(MAX_BYTES + 1) if name == "-" else Path(name).read_bytes()
            return blueprint_service.against(environment, parse(content, fingerprint))
        except OSError as error:
            raise CommandError(f"{name} cannot be read: {error.strerror}.", returncode=UNREADABLE) from error
        except Refused as refusal:
            raise CommandError(refusal.reason, returncode=UNREADABLE) from refusal
