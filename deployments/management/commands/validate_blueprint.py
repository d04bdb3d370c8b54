"""`manage.py validate_blueprint FILE [--json]`: Render's verdict on a render.yaml. Exit 1: invalid."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from deployments.render.client import render
from providers.errors import ProviderError, Refused

MAX_BYTES = 10 * 1024 * 1024


class Command(BaseCommand):
    help = "Asks Render whether a render.yaml is valid and what it would do."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            content = options["file"].read_bytes()
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}") from error
        if len(content) > MAX_BYTES:
            raise CommandError("Render takes files of at most 10 MB.")
        try:
            api = render(deadline=20.0)
            owner = next(api.owners.list(), None)
            if owner is None:
                raise CommandError("This key reaches no workspace.")
            check = api.blueprints.validate(owner.id, content)
        except (ProviderError, Refused) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps({"valid": check.valid, "errors": check.errors, "plan": dict(check.plan)}))
        else:
            self.stdout.write("valid" if check.valid else "\n".join(check.errors) or "invalid")
        if not check.valid:
            sys.exit(1)
