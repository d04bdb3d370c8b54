"""`sampelit-ops drift --environment E`: look at the schema now. Exit 0 as expected, 1 drift, 2 refused or unreadable.

With --accept --reason TEXT [--file SHA256] the drift that was found counts as right from now on, as on its page.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import CommandError, CommandParser

from migrations_registry.drift import detect as drift_detect
from migrations_registry.kinds.apply import find
from migrations_registry.models import DriftIncident
from migrations_registry.web.drift_page import MAY_RESOLVE
from operations import cli
from operations.authority import why_not
from operations.dsns import environment_named
from providers.answers import Answer, AnsweringCommand, columns
from providers.counting import counted
from providers.errors import ProviderError, Refused


class Command(AnsweringCommand):
    help = "Compare an environment's schema with what it should be, and accept a difference with a reason."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--environment", required=True)
        parser.add_argument("--accept", action="store_true", help="take what was found as right from now on")
        parser.add_argument("--reason", default="", help="why it is right (with --accept)")
        parser.add_argument("--file", default="", metavar="SHA256", help="the registered migration that explains it")
        parser.add_argument("--as", dest="actor", default="", help="who accepts (demo only; otherwise OPS_TOKEN)")
        parser.add_argument("--code", default="", help="a code of your second factor (with --accept)")

    def answer(self, options: dict[str, Any]) -> Answer:
        environment = environment_named(options["environment"])
        try:
            incident = drift_detect.look(environment)
        except ProviderError as error:
            raise CommandError(str(error), returncode=2) from error
        if options["accept"]:
            return _accepted(incident, options)
        changes = incident.changes if incident else []
        rows = columns((change["kind"], change["name"], change["change"]) for change in changes)
        return Answer(
            {"environment": environment.slug, "changes": changes},
            [*rows, f"{counted(len(changes), 'difference')} on {environment.slug}."],
            code=1 if changes else 0,
            follow="--accept --reason TEXT takes it as right." if changes else "nothing.",
        )


def _accepted(incident: DriftIncident | None, options: dict[str, Any]) -> Answer:
    if incident is None:
        raise Refused("The schema is as expected: there is no drift to accept. Nothing was changed.")
    by = cli.actor(options, MAY_RESOLVE, incident.environment)
    if refusal := why_not(by, MAY_RESOLVE, incident.environment, f"{by.username} may not accept drift."):
        raise PermissionDenied(f"{refusal} Nothing was changed.")
    file = find(options["file"]) if options["file"] else None
    said = {"by": by.username, "reason": options["reason"], "file": file}
    cli.confirmed(by, options, lambda: drift_detect.resolve(incident, **said))
    told = [f"{incident} accepted by {by.username}; this schema is the expected one from now on."]
    return Answer({"accepted": incident.pk, "by": by.username}, told)
