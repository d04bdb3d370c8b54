"""manage.py coverage --environment E: what of a database is in our runs, elsewhere, or nowhere."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from backups.management import cli
from backups.web import coverage
from backups.web.outside import Kept
from operations.models import Environment
from providers.errors import ProviderError, Refused


class Command(BaseCommand):
    help = "Tables by policy, and everything besides tables. Exit 1 where something is kept nowhere."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--environment", required=True)
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, **options: Any) -> None:
        with cli.command_errors():
            environment = Environment.objects.filter(slug=options["environment"]).first()
            if environment is None:
                raise Refused(f"There is no environment {options['environment']}. Nothing was read.")
            sizes, problem = coverage.sizes_of(environment)
            if problem:
                raise ProviderError(problem)
            tables = coverage.covered(environment, sizes, coverage.newest_proofs(environment))
            outside = coverage.kept_outside(environment)
        if options["as_json"]:
            lines = [{"table": line.table, "policies": line.policies, "bytes": line.size_bytes} for line in tables]
            self.stdout.write(json.dumps({"tables": lines, "outside": [asdict(one) for one in outside]}))
        else:
            self._tell(tables, outside)
        bare = [line for line in tables if not line.policies]
        if bare or any(one.tone == "bad" for one in outside):
            raise SystemExit(1)

    def _tell(self, tables: list[coverage.Covered], outside: list[Kept]) -> None:
        for line in tables:
            where = f"in {', '.join(line.policies)}" if line.policies else "nowhere"
            self.stdout.write(f"{where:<24} {line.table}")
        for one in (one for one in outside if one.count):
            self.stdout.write(f"{one.where:<24} {one.topic} ({one.count}): {one.sentence}")
