"""`manage.py outsiders`: ask now who could pass by the portal. With --attest somebody says that the list is right."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError

from operations import cli
from providers.errors import Refused
from sampelit_ops.outsiders import attestation, readings


class Command(BaseCommand):
    help = "List everybody whom Render, Supabase, a database or a bucket obeys without asking the portal."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--attest", action="store_true", help="write down, by name, that this list is right")
        parser.add_argument("--code", default="", help="a code of your second factor (with --attest)")
        parser.add_argument("--as", dest="actor", default="", help="who attests (demo only; otherwise OPS_TOKEN)")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        found = readings.read_all()
        if options["json"]:
            self.stdout.write(json.dumps([asdict(reading) for reading in found]))
        else:
            self.stdout.write("\n".join(_lines(found)))
        if options["attest"]:
            self._attest(attestation.digest(found), options)

    def _attest(self, seen: str, options: dict[str, Any]) -> None:
        try:
            by = cli.actor(options, attestation.MAY_ATTEST, None)
            cli.confirmed(by, options, lambda: attestation.attest(by=by, seen=seen))
        except (Refused, PermissionDenied) as refusal:
            raise CommandError(str(refusal), returncode=2) from None
        self.stderr.write(f"Attested by {by.username}.")


def _lines(found: list[readings.Reading]) -> list[str]:
    lines: list[str] = []
    for reading in found:
        lines.append(f"{reading.place}{': not read anew: ' + reading.problem if reading.problem else ''}")
        lines += [f"  {each.who}: {each.can}{'; ' + each.note if each.note else ''}" for each in reading.outsiders]
    return lines
