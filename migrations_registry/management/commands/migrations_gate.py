"""`sampelit-ops migrations_gate --environment E --commit SHA`: exit 0 when its migrations are applied, else 1."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from migrations_registry.gate import check as gate_check
from operations.dsns import environment_named
from providers.answers import Answer, AnsweringCommand
from providers.errors import ProviderError, Refused


class Command(AnsweringCommand):
    help = "For a pre-deploy command or CI: are a commit's migrations applied on the environment's database?"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--environment", required=True)
        parser.add_argument("--commit", default="", help="Empty: the files as they lie in SOURCE.")
        parser.add_argument("--source", default=".", help="A checkout or a Git URL; default: this directory.")

    def answer(self, options: dict[str, Any]) -> Answer:
        """Exit 2 where the source or the target cannot be read: nobody knows, so a deploy should not go on."""
        source = f"{options['source']}@{options['commit']}" if options["commit"] else options["source"]
        try:
            result = gate_check.of_source(environment_named(options["environment"]), source)
        except (Refused, ProviderError) as error:
            raise CommandError(str(error), returncode=2) from error
        lines = [*result.missing, *result.unsure]
        told = f"{len(lines)} migrations are not applied on {options['environment']}."
        return Answer(
            {"applied": not lines, "missing": list(result.missing), "unsure": list(result.unsure)},
            [*lines, told],
            code=1 if lines else 0,
            follow="`sampelit-ops request migrations.apply --help`, before the deploy." if lines else "deploy.",
        )
