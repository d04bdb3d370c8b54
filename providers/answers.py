"""What every command shares: `--json`, one shape of answers and refusals, the next step, columns.

In: `answer(options)` of a command, which may `tell` before it ends. Out: lines, or with `--json` one document, on
standard output; notes, refusals and the next step on standard error; exit code 2 where refused, 1 where failed.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser, SystemCheckError

from providers.errors import ProviderError, Refused
from providers.redact import redact

REFUSED = 2


@dataclass(frozen=True)
class Answer:
    """What `--json` prints, what a person reads instead, the exit code, remarks beside it, and what to do next."""

    document: Any
    lines: Sequence[str] = ()
    code: int = 0
    notes: Sequence[str] = ()
    follow: str = ""


class Objects(list[Any]):
    """A document that is printed as one JSON object a line."""


class UsageParser(CommandParser):
    """Usage errors are refusals like others: one sentence, which `--json` tells as well."""

    usage_code = REFUSED

    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{message}. Nothing was changed; see `{self.prog} --help`.", returncode=self.usage_code)


def json_option(parser: ArgumentParser, default: Any = False) -> None:
    """The option itself; a verb below a command leaves its default out, so that either place counts."""
    parser.add_argument("--json", action="store_true", default=default, help="one JSON document on standard output")


class AnsweringCommand(BaseCommand):
    """The base of the portal's commands. Whoever calls one from code gets CommandError, or SystemExit with a code."""

    parser_class = UsageParser
    requires_system_checks: list[str] = []  # they import every page; the guards of the start run before (ops.E002)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.__class__ = self.parser_class
        json_option(parser)
        return parser

    def run_from_argv(self, argv: list[str]) -> None:
        """A usage error is met before Django's own handling of CommandError begins."""
        try:
            super().run_from_argv(argv)
        except CommandError as error:
            self._refuse(error, "--json" in argv)

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except SystemCheckError:
            raise
        except CommandError as error:
            if getattr(self, "_called_from_command_line", False):
                self._refuse(error, options["json"])
            self._tell_refusal(error, options["json"])
            raise

    def answer(self, options: dict[str, Any]) -> Answer | None:
        """What was asked, done; None where it was told meanwhile. Raises Refused, ProviderError, PermissionDenied."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        self.as_json = options["json"]
        try:
            answer = self.answer(options)
        except (Refused, PermissionDenied) as error:
            raise CommandError(redact(str(error)), returncode=REFUSED) from error
        except ProviderError as error:
            raise CommandError(redact(error.message), returncode=1) from error
        if answer:
            self.tell(answer)
            if answer.code:
                sys.exit(answer.code)

    def tell(self, answer: Answer) -> None:
        """Print it as it was asked for."""
        if self.as_json:
            documents = answer.document if isinstance(answer.document, Objects) else [answer.document]
            for document in documents:
                self.stdout.write(json.dumps(document))
        elif answer.lines:
            self.stdout.write("\n".join(answer.lines))
        for note in answer.notes:
            self.stderr.write(note)
        if answer.follow and not self.as_json:
            self.stderr.write(f"Next: {answer.follow}")
        self.stdout.flush()

    def _refuse(self, error: CommandError, as_json: bool) -> NoReturn:
        self._tell_refusal(error, as_json)
        self.stderr.write(str(error))
        sys.exit(error.returncode)

    def _tell_refusal(self, error: CommandError, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"error": str(error)}))


def columns(rows: Iterable[Sequence[object]]) -> list[str]:
    """Rows in columns as wide as their longest cell, the last one open; nothing of nothing."""
    known = [["" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*known, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in known]
