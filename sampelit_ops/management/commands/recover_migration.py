"""`sampelit-ops recover_migration OPERATION --lost WHAT`: register the migration that brings it back from beside."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import PermissionDenied

from operations import cli
from operations.authority import holds_somewhere
from operations.models import Operation
from providers.answers import Answer, AnsweringCommand
from providers.errors import Refused
from sampelit_ops.recover.loss import SHAPES, parse
from sampelit_ops.recover.migration_writer import write
from sampelit_ops.recover.page import WRITES


class Command(AnsweringCommand):
    help = "Writes and registers the SQL that brings lost things over from a schema restored beside; applies nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("operation", help="the restore that lies beside")
        parser.add_argument("--lost", required=True, metavar="WHAT", help=SHAPES)
        parser.add_argument("--as", dest="actor", metavar="USER", help="who acts (demo only; else OPS_TOKEN)")
        parser.add_argument("--sql", action="store_true", help="also print the SQL")

    def answer(self, options: dict[str, Any]) -> Answer:
        operation = Operation.objects.select_related("environment").filter(pk=options["operation"]).first()
        if operation is None:
            raise Refused(f"There is no operation {options['operation']!r}. Nothing was written.")
        by = cli.actor(options, WRITES, operation.environment)
        if not holds_somewhere(by, WRITES):
            raise PermissionDenied(f"{by} may not register migrations. Nothing was written.")
        file = write(operation, parse(options["lost"]), by.get_username())
        document = {"path": file.path, "sha256": file.sha256, "risk": file.risk}
        sql = file.data.decode()
        lines = [*([sql] if options["sql"] else []), json.dumps(document)]
        asks = f"`sampelit-ops request migrations.apply --environment E --set file={file.sha256[:12]}`"
        return Answer(document | ({"sql": sql} if options["sql"] else {}), lines, follow=f"{asks} applies it.")
