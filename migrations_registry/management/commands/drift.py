"""`manage.py drift --environment E`: look at the schema now. Exit 0 as expected, 1 drift, 2 refused or unreadable.

With --accept --reason TEXT [--file SHA256] the drift that was found counts as right from now on, as on its page.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandParser

from migrations_registry.drift import detect as drift_detect
from migrations_registry.kinds.apply import find
from migrations_registry.models import DriftIncident
from migrations_registry.web.drift_page import MAY_RESOLVE
from operations import cli
from operations.authority import why_not
from operations.dsns import environment_named
from providers.errors import ProviderError, Refused


class Command(BaseCommand):
    help = "Compare an environment's schema with what it should be, and accept a difference with a reason."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--environment", required=True)
        parser.add_argument("--accept", action="store_true", help="take what was found as right from now on")
        parser.add_argument("--reason", default="", help="why it is right (with --accept)")
        parser.add_argument("--file", default="", metavar="SHA256", help="the registered migration that explains it")
        parser.add_argument("--as", dest="actor", default="", help="who accepts (demo only; otherwise OPS_TOKEN)")
        parser.add_argument("--code", default="", help="a code of your second factor (with --accept)")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            environment = environment_named(options["environment"])
            incident = drift_detect.look(environment)
            if options["accept"]:
                self._accept(incident, options)
                return
        except (Refused, ProviderError, PermissionDenied) as error:
            self.stderr.write(str(error))
            sys.exit(2)
        changes = incident.changes if incident else []
        if options["json"]:
            self.stdout.write(json.dumps({"environment": environment.slug, "changes": changes}))
        else:
            for change in changes:
                self.stdout.write(f"{change['kind']} {change['name']} {change['change']}")
            self.stdout.write(f"{len(changes)} differences on {environment.slug}.")
        sys.exit(1 if changes else 0)

    def _accept(self, incident: DriftIncident | None, options: dict[str, Any]) -> None:
        if incident is None:
            raise Refused("The schema is as expected: there is no drift to accept. Nothing was changed.")
        by = cli.actor(options, MAY_RESOLVE, incident.environment)
        if refusal := why_not(by, MAY_RESOLVE, incident.environment, f"{by.username} may not accept drift."):
            raise PermissionDenied(f"{refusal} Nothing was changed.")
        file = find(options["file"]) if options["file"] else None
        said = {"by": by.username, "reason": options["reason"], "file": file}
        cli.confirmed(by, options, lambda: drift_detect.resolve(incident, **said))
        self.stdout.write(f"{incident} accepted by {by.username}; this schema is the expected one from now on.")
