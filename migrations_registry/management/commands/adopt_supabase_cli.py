"""`manage.py adopt_supabase_cli DIRECTORY [--environment E]`: hand the registered migrations to the Supabase CLI.

Writes DIRECTORY/supabase/migrations/. With --environment asks, through the usual approvals, that the history there
says what is applied. Exit 0 done, 2 refused, 3 an operation waits for approval.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser

from migrations_registry.history.supabase_cli_export import adopt, unmarked
from operations import cli
from operations.dsns import environment_named
from operations.engine import kinds
from operations.engine.request import request
from operations.models import Environment, Operation, Status
from providers.errors import ProviderError, Refused


class Command(BaseCommand):
    help = "Write supabase/migrations/ from the registered files and have them marked in a target's history."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", metavar="DIRECTORY", type=Path, help="the root of the checkout")
        parser.add_argument("--environment", default="", help="also have its history marked")
        parser.add_argument("--reason", default="the Supabase CLI is to agree with the portal")
        parser.add_argument("--as", dest="actor", default="", help="who asks (demo only; otherwise OPS_TOKEN)")

    def handle(self, *args: Any, **given: Any) -> None:
        try:
            environment = environment_named(given["environment"]) if given["environment"] else None
            done = adopt(given["directory"])
            for word, names in (("written", done.written), ("there", done.same), ("not registered", done.foreign)):
                for name in names:
                    self.stdout.write(f"{word:<14} supabase/migrations/{name}")
            asked = self._ask(environment, given) if environment else []
        except (Refused, ProviderError, PermissionDenied) as error:
            raise CommandError(str(error), returncode=2) from error
        if any(operation.status == Status.AWAITING_APPROVAL for operation in asked):
            sys.exit(3)

    def _ask(self, environment: Environment, given: dict[str, Any]) -> list[Operation]:
        streams, versions = unmarked(environment)
        wanted = [("migrations.baseline", {"stream": stream}) for stream in streams]
        wanted += [("migrations.mark", {"versions": ",".join(versions), "state": "applied"})] if versions else []
        if not wanted:
            self.stdout.write(f"The history of {environment} says all of this already; nothing was requested.")
            return []
        by, asked = cli.actor(given, kinds.get("migrations.mark").permission, environment), []
        for kind, parameters in wanted:
            operation = request(
                kind, by=by, environment=environment, parameters=parameters, reason=given["reason"], channel="shell"
            )
            self.stdout.write(f"{operation.pk} {kind} {operation.subject}: {operation.get_status_display().lower()}")
            asked.append(operation)
        return asked
