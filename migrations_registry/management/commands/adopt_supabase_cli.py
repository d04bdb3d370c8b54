"""`sampelit-ops adopt_supabase_cli DIRECTORY [--environment E]`: hand the registered migrations to the Supabase CLI.

Writes DIRECTORY/supabase/migrations/. With --environment asks, through the usual approvals, that the history there
says what is applied. Exit 0 done, 2 refused, 3 an operation waits for approval.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from migrations_registry.history.supabase_cli_export import adopt, unmarked
from operations import cli
from operations.dsns import environment_named
from operations.engine import kinds
from operations.engine.request import request
from operations.models import Environment, Operation, Status
from providers.answers import Answer, AnsweringCommand, columns


class Command(AnsweringCommand):
    help = "Write supabase/migrations/ from the registered files and have them marked in a target's history."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", metavar="DIRECTORY", type=Path, help="the root of the checkout")
        parser.add_argument("--environment", default="", help="also have its history marked")
        parser.add_argument("--reason", default="the Supabase CLI is to agree with the portal")
        parser.add_argument("--as", dest="actor", default="", help="who asks (demo only; otherwise OPS_TOKEN)")

    def answer(self, options: dict[str, Any]) -> Answer:
        environment = environment_named(options["environment"]) if options["environment"] else None
        done = adopt(options["directory"])
        groups = {"written": done.written, "there": done.same, "not registered": done.foreign}
        lines = columns((word, f"supabase/migrations/{name}") for word, names in groups.items() for name in names)
        asked = _ask(environment, options) if environment else []
        lines += [f"{op.pk} {op.kind} {op.subject}: {op.get_status_display().lower()}" for op in asked]
        if environment and not asked:
            lines.append(f"The history of {environment} says all of this already; nothing was requested.")
        waits = any(operation.status == Status.AWAITING_APPROVAL for operation in asked)
        return Answer(
            {**{word.replace(" ", "_"): names for word, names in groups.items()}, "requested": [op.pk for op in asked]},
            lines,
            code=3 if waits else 0,
            follow=f"others vote: `sampelit-ops approve {asked[0].pk}`." if waits else "commit supabase/migrations/.",
        )


def _ask(environment: Environment, options: dict[str, Any]) -> list[Operation]:
    streams, versions = unmarked(environment)
    wanted = [("migrations.baseline", {"stream": stream}) for stream in streams]
    wanted += [("migrations.mark", {"versions": ",".join(versions), "state": "applied"})] if versions else []
    if not wanted:
        return []
    by = cli.actor(options, kinds.get("migrations.mark").permission, environment)
    asked = {"by": by, "environment": environment, "reason": options["reason"], "channel": "shell"}
    return [request(kind, parameters=parameters, **asked) for kind, parameters in wanted]
