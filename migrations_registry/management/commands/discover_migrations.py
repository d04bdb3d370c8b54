"""`manage.py discover_migrations SOURCE`: the migrations of a directory, archive or Git URL[@commit], in order.

Prints them; with --environment also registers each new content there, in the name of `system` or of the shell's person.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from migrations_registry.services.registration import register_files
from migrations_registry.sources.discovery import discover
from migrations_registry.sources.reader import read_source
from operations.accounts import SYSTEM
from providers.errors import ProviderError, Refused


class Command(BaseCommand):
    help = "List the migrations of SOURCE in the order they belong, and register new contents for an environment."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", metavar="SOURCE", help="a directory, an archive (zip, tar) or a Git URL[@commit]")
        parser.add_argument("--environment", help="register the files and show their state there")
        parser.add_argument("--json", action="store_true", help="one JSON list of {path, sha256, stream}")

    def handle(self, *args: Any, **given: Any) -> None:
        """Exit 0; 1 when a file was rejected; 2 when the source cannot be read."""
        try:
            files, rejected = discover(read_source(given["source"]))
            if given["environment"]:
                register_files(files, source=given["source"], by=SYSTEM, environment=given["environment"])
        except (Refused, ProviderError) as error:
            raise CommandError(str(error), returncode=2) from error
        rows = [{"path": file.path, "sha256": file.sha256, "stream": file.stream} for file in files]
        if given["json"]:
            self.stdout.write(json.dumps(rows, ensure_ascii=False))
        else:
            self.stdout.write("\n".join(f"{row['stream']:<10} {row['sha256'][:12]} {row['path']}" for row in rows))
        for file in rejected:
            self.stderr.write(f"{file.path}:{file.line}: refused: {file.reason}. It was not registered.")
        if rejected:
            sys.exit(1)
