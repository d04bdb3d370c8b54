"""`sampelit-ops discover_migrations SOURCE`: the migrations of a directory, archive or Git URL[@commit], in order.

Prints them; with --environment also registers each new content there, in the name of `system` or of the shell's person.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from migrations_registry.services.registration import register_files
from migrations_registry.sources.discovery import discover
from migrations_registry.sources.reader import read_source
from operations.accounts import SYSTEM
from providers.answers import Answer, AnsweringCommand, columns
from providers.errors import ProviderError, Refused


class Command(AnsweringCommand):
    help = "List the migrations of SOURCE in the order they belong, and register new contents for an environment."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", metavar="SOURCE", help="a directory, an archive (zip, tar) or a Git URL[@commit]")
        parser.add_argument("--environment", help="register the files and show their state there")

    def answer(self, options: dict[str, Any]) -> Answer:
        """Exit 1 when a file was rejected, 2 when the source cannot be read. JSON: a list of {path, sha256, stream}."""
        try:
            files, rejected = discover(read_source(options["source"]))
            if options["environment"]:
                register_files(files, source=options["source"], by=SYSTEM, environment=options["environment"])
        except (Refused, ProviderError) as error:
            raise CommandError(str(error), returncode=2) from error
        return Answer(
            [{"path": file.path, "sha256": file.sha256, "stream": file.stream} for file in files],
            columns((file.stream, file.sha256[:12], file.path) for file in files),
            code=1 if rejected else 0,
            notes=[f"{file.path}:{file.line}: refused: {file.reason}. It was not registered." for file in rejected],
            follow="`sampelit-ops migrations_status` shows where each stands."
            if options["environment"]
            else "--environment E registers them.",
        )
