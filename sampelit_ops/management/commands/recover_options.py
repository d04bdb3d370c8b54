"""`manage.py recover_options --environment E --lost WHAT --at TIME`: each copy that holds it, as JSON; exit 1: none.

Exit 2 for what is not understood, and for a table or column that no run and no look at the schema ever held.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backups.provider.target import second
from operations.models import Environment
from providers.errors import Refused
from sampelit_ops.recover.loss import SHAPES, parse
from sampelit_ops.recover.options import options
from sampelit_ops.recover.validation import refuse_unknown


class Command(BaseCommand):
    help = "Lists what could bring a loss back, with age, loss, downtime, price and the command that starts it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--environment", default="production", help="(production)")
        parser.add_argument("--lost", required=True, metavar="WHAT", help=SHAPES)
        parser.add_argument("--at", required=True, help="when, with its time zone: 2026-11-23T04:05:06Z")

    def handle(self, *args: Any, **given: Any) -> None:
        environment = Environment.objects.filter(slug=given["environment"]).first()
        if environment is None:
            raise CommandError(f"There is no environment {given['environment']!r}.", returncode=2)
        try:
            lost, at = parse(given["lost"]), second(given["at"])
            refuse_unknown(environment, lost)
        except Refused as refusal:
            raise CommandError(refusal.reason, returncode=2) from refusal
        ways = options(environment, lost, at)
        answer = {
            "environment": environment.slug,
            "lost": lost.words,
            "at": at.isoformat(),
            "options": [way.as_json(environment) for way in ways],
        }
        self.stdout.write(json.dumps(answer, indent=1, ensure_ascii=False))
        if not any(way.kind for way in ways):
            sys.exit(1)
