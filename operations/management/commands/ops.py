"""`sampelit-ops ops`: the same verbs, services, permissions and ledger as the admin (docs/design.md 11 names all).

Exit: 0 accepted or succeeded, 1 failed, 2 refused or usage, 3 waits for approval, 4 ended otherwise, 5 timed out.
"""

from __future__ import annotations

import sys
from argparse import SUPPRESS
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandParser
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
from providers.answers import Answer, AnsweringCommand, UsageParser, columns, json_option
from providers.counting import counted
from providers.errors import ProviderError, Refused


class Command(AnsweringCommand):
    help = "Request, approve, follow and cancel operations."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, parser_class=UsageParser)
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
        json_option(parser, SUPPRESS)
        parser.add_argument("--code", default="", help="a code of your second factor, for what asks for one")

    def answer(self, options: dict[str, Any]) -> Answer:
        try:
            return getattr(self, "_" + options["verb"].replace("-", "_"))(options)
        except Operation.DoesNotExist:
            raise Refused(
                f"There is no operation {options['id']}; nothing was changed. `ops list` shows them."
            ) from None
        except ProviderError as error:
            raise Refused(error.message) from error

    def _request(self, options: dict[str, Any]) -> Answer:
        operation = cli.request(options)
        code = cli.WAITING if operation.status == "awaiting_approval" else 0
        if options["wait"] or options["wait_approval"]:
            told = self._told(operation)
            operation, code = cli.wait(operation, options["timeout"], not options["wait_approval"], told)
        return _answer(operation, code)

    def _told(self, operation: Operation) -> Callable[[str], object]:
        """Progress goes to the terminal's other stream: what is piped on stays the answer alone."""
        self.stderr.write(f"{operation.pk}  waits for its end; Ctrl-C ends only the waiting")
        return lambda line: self.stderr.write(f"  {timezone.now():%H:%M:%S}  {line}")

    def _approve(self, options: dict[str, Any]) -> Answer:
        """What destroys is shown, and its name typed, before the vote."""
        operation = cli.find(options["id"])
        if typed_for(operation) and not options["confirm"] and sys.stdin.isatty():
            self.stderr.write("\n".join(printed.operation(operation)))
            options["confirm"] = input(f"Type {typed_for(operation)} to approve: ")
        return self._act(options)

    def _act(self, options: dict[str, Any]) -> Answer:
        operation = cli.act(options["verb"], options)
        waits = options["verb"] == "retry" and operation.status == "awaiting_approval"
        return _answer(operation, cli.WAITING if waits else 0)

    _reject = _revoke = _cancel = _retry = _break_glass = _act

    def _show(self, options: dict[str, Any]) -> Answer:
        cli.actor(options, LOOK, None)
        return _answer(cli.find(options["id"]))

    def _list(self, options: dict[str, Any]) -> Answer:
        cli.actor(options, LOOK, None)
        rows = cli.listing(options)
        follow = "`ops show ID`" if rows else "`ops kinds` shows what can be requested."
        listed = printed.listed(rows) if rows else ["No operation matches."]
        return Answer([as_json(row) for row in rows], listed, follow=follow)

    def _token(self, options: dict[str, Any]) -> Answer:
        documents = tokens.act(options)
        listed = columns(map(tokens.row, documents)) or ["No living token."]
        return Answer(documents, listed, follow="`ops token revoke ID` ends one; the admin creates them.")

    def _ledger(self, options: dict[str, Any]) -> Answer:
        lines, problems = cli.compared(options["file"])
        told = counted(len(problems), "difference") if problems else "the ledger is what the collector has"
        return Answer(
            {"valid": not problems, "lines": lines, "problems": problems},
            [*problems, f"{counted(lines, 'line')} compared: {told}."],
            code=1 if problems else 0,
            follow="`sampelit-ops verify_ledger` tells where the ledger itself breaks." if problems else "nothing.",
        )

    def _kinds(self, options: dict[str, Any]) -> Answer:
        known = sorted(registry.kinds.values(), key=lambda kind: kind.name)
        follow = "`ops request KIND --help` tells its parameters."
        return Answer([kind_as_json(kind) for kind in known], printed.kinds(known), follow=follow)


def _answer(operation: Operation, code: int = 0) -> Answer:
    return Answer(as_json(operation), printed.operation(operation), code)
