"""`manage.py ops`: the same verbs, services, permissions and ledger as the admin (docs/design.md 11 names all of it).

Exit: 0 accepted or succeeded, 1 failed, 2 refused or usage, 3 waits for approval, 4 ended otherwise, 5 timed out.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from operations import cli
from operations.approvals.voting import typed_for
from operations.cli import LOOK
from operations.engine.kinds import registry
from operations.management import printed, tokens
from operations.management.kind_help import KindHelp
from operations.management.verbs import OF_ONE, OTHERS
from operations.models import Operation, Status
from operations.serializers import as_json, kind_as_json
from providers.errors import ProviderError, Refused


class VerbParser(CommandParser):
    """Usage errors exit 2 and say that nothing happened, however the command is called."""

    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{message}. Nothing was changed; see `manage.py ops --help`.", returncode=2)


class Command(BaseCommand):
    help = "Request, approve, follow and cancel operations."

    def run_from_argv(self, argv: list[str]) -> None:
        """A usage error is met before Django's own handling of CommandError begins."""
        try:
            super().run_from_argv(argv)
        except CommandError as error:
            self.stderr.write(str(error))
            sys.exit(error.returncode)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.__class__ = VerbParser
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, parser_class=VerbParser)
        request = verbs.add_parser("request", help=OTHERS["request"], add_help=False)
        request.add_argument("-h", "--help", action=KindHelp, nargs=0)
        request.add_argument("kind", help="`ops kinds` lists them")
        request.add_argument("--environment", required=True)
        request.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="values")
        request.add_argument("--reason", default="")
        request.add_argument("--wait", action="store_true", help="until it ended (or needs approval)")
        request.add_argument("--wait-approval", action="store_true", help="until it ended, through its approval")
        request.add_argument("--timeout", type=float, default=3600, help="seconds to wait (exit 5 after that)")
        for verb, meaning in OF_ONE.items():
            command = verbs.add_parser(verb, help=meaning)
            command.add_argument("id")
            command.add_argument("--reason", default="")
            if verb == "approve":
                command.add_argument("--confirm", default="", metavar="NAME", help="for what destroys: its name, typed")
            self._common(command)
        kinds = verbs.add_parser("kinds", help=OTHERS["kinds"])
        listing = verbs.add_parser("list", help=OTHERS["list"])
        listing.add_argument("--environment")
        listing.add_argument("--status", choices=Status.values)
        listing.add_argument("--limit", type=int, default=20, help="at most so many (default: %(default)s)")
        token = verbs.add_parser("token", help=OTHERS["token"])
        tokens.arguments(token)
        ledger = verbs.add_parser("ledger", help=OTHERS["ledger"])
        ledger.add_argument("what", choices=["compare"])
        ledger.add_argument("file", help="its lines, JSON or syslog; - is standard input")
        for command in (request, kinds, listing, token, ledger):
            self._common(command)

    def _common(self, parser: Any) -> None:
        parser.add_argument("--as", dest="actor", metavar="USER", help="who acts (demo only; else OPS_TOKEN)")
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--code", default="", help="a code of your second factor, for what asks for one")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            code = getattr(self, "_" + options["verb"].replace("-", "_"))(options)
        except (Refused, PermissionDenied, ProviderError) as refusal:
            self._refused(str(refusal), options)
            code = cli.REFUSED
        except Operation.DoesNotExist:
            self._refused(
                f"There is no operation {options['id']}; nothing was changed. `ops list` shows them.", options
            )
            code = cli.REFUSED
        if code:
            sys.exit(code)

    def _refused(self, message: str, options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps({"error": message}))
        self.stderr.write(message)

    def _request(self, options: dict[str, Any]) -> int:
        operation = cli.request(options)
        waits = options["wait"] or options["wait_approval"]
        if waits:
            told = self._told(operation)
            operation, code = cli.wait(operation, options["timeout"], not options["wait_approval"], told)
        else:
            code = cli.WAITING if operation.status == "awaiting_approval" else 0
        self._print(operation, options)
        return code

    def _told(self, operation: Operation) -> Callable[[str], object]:
        """Progress goes to the terminal's other stream: what is piped on stays the answer alone."""
        self.stderr.write(f"{operation.pk}  waits for its end; Ctrl-C ends only the waiting")
        return lambda line: self.stderr.write(f"  {timezone.now():%H:%M:%S}  {line}")

    def _approve(self, options: dict[str, Any]) -> int:
        """What destroys is shown, and its name typed, before the vote."""
        operation = cli.find(options["id"])
        if typed_for(operation) and not options["confirm"] and sys.stdin.isatty():
            self.stdout.write("\n".join(printed.operation(operation)))
            options["confirm"] = input(f"Type {typed_for(operation)} to approve: ")
        return self._act(options)

    def _act(self, options: dict[str, Any]) -> int:
        operation = cli.act(options["verb"], options)
        self._print(operation, options)
        return cli.WAITING if options["verb"] == "retry" and operation.status == "awaiting_approval" else 0

    _reject = _revoke = _cancel = _retry = _break_glass = _act

    def _show(self, options: dict[str, Any]) -> int:
        cli.actor(options, LOOK, None)
        self._print(cli.find(options["id"]), options)
        return 0

    def _list(self, options: dict[str, Any]) -> int:
        cli.actor(options, LOOK, None)
        rows = cli.listing(options)
        if options["json"]:
            self.stdout.write(json.dumps([as_json(row) for row in rows]))
            return 0
        self.stdout.write("\n".join(printed.listed(rows)) if rows else "No operation matches.")
        return 0

    def _token(self, options: dict[str, Any]) -> int:
        documents = tokens.act(options)
        listed = "\n".join(map(tokens.line, documents)) or "No living token."
        self.stdout.write(json.dumps(documents) if options["json"] else listed)
        return 0

    def _ledger(self, options: dict[str, Any]) -> int:
        lines, problems = cli.compared(options["file"])
        if options["json"]:
            self.stdout.write(json.dumps({"valid": not problems, "lines": lines, "problems": problems}))
        else:
            told = f"{len(problems)} differences" if problems else "the ledger is what the collector has"
            self.stdout.write("\n".join([*problems, f"{lines} lines compared: {told}."]))
        return 1 if problems else 0

    def _kinds(self, options: dict[str, Any]) -> int:
        known = sorted(registry.kinds.values(), key=lambda kind: kind.name)
        if options["json"]:
            self.stdout.write(json.dumps([kind_as_json(kind) for kind in known]))
        else:
            self.stdout.write("\n".join([*printed.kinds(known), "`ops request KIND --help` tells its parameters."]))
        return 0

    def _print(self, operation: Operation, options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(as_json(operation)))
        else:
            self.stdout.write("\n".join(printed.operation(operation)))
