"""`manage.py recover_migration OPERATION --lost WHAT`: register the migration that brings it back from beside."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError

from operations import cli
from operations.authority import holds_somewhere
from operations.models import Operation
from providers.errors import ProviderError, Refused
from sampelit_ops.recover.loss import SHAPES, parse
from sampelit_ops.recover.migration_writer import write
from sampelit_ops.recover.page import WRITES


class Command(BaseCommand):
    help = "Writes and registers the SQL that brings lost things over from a schema restored beside; applies nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("operation", help="the restore that lies beside")
        parser.add_argument("--lost", required=True, metavar="WHAT", help=SHAPES)
        parser.add_argument("--as", dest="actor", metavar="USER", help="who acts (demo only; else OPS_TOKEN)")
        parser.add_argument("--sql", action="store_true", help="also print the SQL")

    def handle(self, *args: Any, **given: Any) -> None:
        operation = Operation.objects.select_related("environment").filter(pk=given["operation"]).first()
        if operation is None:
            raise CommandError(f"There is no operation {given['operation']!r}. Nothing was written.", returncode=2)
        try:
            by = cli.actor(given, WRITES, operation.environment)
            if not holds_somewhere(by, WRITES):
                raise PermissionDenied(f"{by} may not register migrations. Nothing was written.")
            file = write(operation, parse(given["lost"]), by.get_username())
        except (Refused, ProviderError, PermissionDenied) as refusal:
            raise CommandError(str(refusal), returncode=2) from refusal
        if given["sql"]:
            self.stdout.write(file.data.decode())
        answer = {"path": file.path, "sha256": file.sha256, "risk": file.risk}
        self.stdout.write(json.dumps(answer))
