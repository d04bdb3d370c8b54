"""`manage.py analyze_sql FILE…`: findings of SQL files on stdout, the verdict as exit code (docs/design.md 11).

Needs no database of its own, unless an environment's live facts are asked for.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser

from migrations_registry.analysis import analyse
from migrations_registry.analysis.command.report import as_json, as_text, exit_code
from migrations_registry.analysis.facts import CatalogFacts
from migrations_registry.analysis.model import Analysis
from migrations_registry.services.live_facts import live_facts
from operations.dsns import environment_named
from providers.errors import ProviderError, Refused

UNREADABLE = 3


def _usage(parser: ArgumentParser, message: str) -> NoReturn:
    parser.print_usage(sys.stderr)
    parser.exit(UNREADABLE, f"{parser.prog}: error: {message}\n")


class Command(BaseCommand):
    help = "Say what SQL files would do to a live PostgreSQL. Exit 0 none, 1 destructive, 2 opaque, 3 unreadable."
    requires_system_checks = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Usage errors leave with 3, because 2 means opaque here."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        setattr(parser, "error", lambda message: _usage(parser, message))  # noqa: B010  mypy refuses the assignment
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="an SQL file; - reads standard input")
        parser.add_argument("--environment", help="use this environment's live facts: sizes, types, checks, indexes")
        parser.add_argument("--pg-version", help="the target's PostgreSQL version (the environment's, else 17)")
        parser.add_argument(
            "--assume-in-transaction", action="store_true", help="the runner wraps the file in a transaction"
        )
        parser.add_argument("--format", choices=("json", "text"), default="text")

    def handle(self, *args: Any, **given: Any) -> None:
        """Analyse every file, also after one that cannot be read."""
        version = self._version(given["pg_version"]) if given["pg_version"] else None
        facts = self._facts(given["environment"])
        codes = [self._one(path, version, facts, given) for path in given["files"]]
        if code := max(codes, key=(0, 1, 2, UNREADABLE).index):
            sys.exit(code)

    def _one(self, path: str, version: int | None, facts: CatalogFacts | None, given: dict[str, Any]) -> int:
        try:
            data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        except OSError as error:
            self.stderr.write(f"{path}: cannot be read ({error.strerror}); nothing is known about it.")
            return UNREADABLE
        analysis: Analysis = analyse(
            data, pg_version=version, assume_in_transaction=given["assume_in_transaction"], facts=facts
        )
        self.stdout.write(as_json(path, analysis) if given["format"] == "json" else as_text(path, analysis))
        return exit_code(analysis)

    def _version(self, text: str) -> int:
        major = text.split(".")[0]
        if not major.isdigit():
            raise CommandError(
                f"--pg-version {text} is no PostgreSQL version; nothing was analysed.", returncode=UNREADABLE
            )
        return int(major)

    def _facts(self, environment: str | None) -> CatalogFacts | None:
        if environment is None:
            return None
        try:
            return live_facts(environment_named(environment))
        except (Refused, ProviderError) as error:
            raise CommandError(f"{error} Nothing was analysed.", returncode=UNREADABLE) from error
