"""`manage.py migrations_gate --environment E --commit SHA`: exit 0 when all its migrations are applied, 1 when not."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from migrations_registry.gate import check as gate_check
from operations.dsns import environment_named
from providers.errors import ProviderError, Refused


class Command(BaseCommand):
    help = "For a pre-deploy command or CI: are a commit's migrations applied on the environment's database?"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--environment", required=True)
        parser.add_argument("--commit", default="", help="Empty: the files as they lie in SOURCE.")
        parser.add_argument("--source", default=".", help="A checkout or a Git URL; default: this directory.")

    def handle(self, *args: Any, **given: Any) -> None:
        """Exit 2 where the source or the target cannot be read: nobody knows, so a deploy should not go on."""
        source = f"{given['source']}@{given['commit']}" if given["commit"] else given["source"]
        try:
            result = gate_check.of_source(environment_named(given["environment"]), source)
        except (Refused, ProviderError) as error:
            raise CommandError(str(error), returncode=2) from error
        lines = [*result.missing, *result.unsure]
        for line in lines:
            self.stdout.write(line)
        self.stdout.write(f"{len(lines)} migrations are not applied on {given['environment']}.")
        sys.exit(1 if lines else 0)
