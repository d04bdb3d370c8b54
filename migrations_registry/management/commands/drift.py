"""`manage.py drift --environment E`: look at the schema now. Exit 0 as expected, 1 drift, 2 could not be read."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from migrations_registry import drift
from operations.models import Environment
from providers.errors import ProviderError, Refused


class Command(BaseCommand):
    help = "Compare an environment's schema with what it should be."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--environment", required=True)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        environment = Environment.objects.filter(slug=options["environment"]).first()
        try:
            if environment is None:
                raise Refused(f"There is no environment {options['environment']}.")
            incident = drift.look(environment)
        except (Refused, ProviderError) as error:
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
