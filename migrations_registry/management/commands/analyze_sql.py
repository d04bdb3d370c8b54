"""`sampelit-ops analyze_sql FILE…`: findings of SQL files on stdout, the verdict as exit code (docs/design.md 11).

Needs no database of its own, unless an environment's live facts are asked for.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from migrations_registry.analysis import analyse
from migrations_registry.analysis.command.report import as_json, as_text, exit_code
from migrations_registry.analysis.facts import CatalogFacts
from migrations_registry.analysis.model import Analysis
from migrations_registry.services.live_facts import live_facts
from operations.dsns import environment_named
from providers.answers import Answer, AnsweringCommand, UsageParser
from providers.errors import ProviderError, Refused

UNREADABLE = 3
ORDER = (0, 1, 2, UNREADABLE)
SHAPES = {"json": as_json, "text": as_text}


class Usage(UsageParser):
    usage_code = UNREADABLE  # 2 means opaque here


class Command(AnsweringCommand):
    help = "Say what SQL files would do to a live PostgreSQL. Exit 0 none, 1 destructive, 2 opaque, 3 unreadable."

    parser_class = Usage

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="an SQL file; - reads standard input")
        parser.add_argument("--environment", help="use this environment's live facts: sizes, types, checks, indexes")
        parser.add_argument("--pg-version", help="the target's PostgreSQL version (the environment's, else 17)")
        parser.add_argument(
            "--assume-in-transaction", action="store_true", help="the runner wraps the file in a transaction"
        )
        parser.add_argument("--format", choices=("json", "text"), default="text")

    def answer(self, options: dict[str, Any]) -> Answer:
        """Analyse every file, also after one that cannot be read."""
        version = self._version(options["pg_version"]) if options["pg_version"] else None
        facts = self._facts(options["environment"])
        form = "json" if options["json"] else options["format"]
        read = [self._one(path, version, facts, options["assume_in_transaction"]) for path in options["files"]]
        known = [(path, analysis) for path, analysis in zip(options["files"], read, strict=True) if analysis]
        codes = [exit_code(analysis) if analysis else UNREADABLE for analysis in read]
        return Answer(
            None, [SHAPES[form](path, analysis) for path, analysis in known], code=max(codes, key=ORDER.index)
        )

    def tell(self, answer: Answer) -> None:
        """Its own lines in both forms: an object each, written as they are made."""
        self.as_json = False
        super().tell(answer)

    def _one(self, path: str, version: int | None, facts: CatalogFacts | None, wrapped: bool) -> Analysis | None:
        try:
            data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        except OSError as error:
            self.stderr.write(f"{path}: cannot be read ({error.strerror}); nothing is known about it.")
            return None
        return analyse(data, pg_version=version, assume_in_transaction=wrapped, facts=facts)

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
