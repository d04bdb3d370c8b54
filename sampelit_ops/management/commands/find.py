"""`manage.py find WORDS`: what the search above every page finds, with addresses; exit 1: nothing."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError

from operations import cli
from providers.errors import Refused
from sampelit_ops.search.actions import actions
from sampelit_ops.search.rows import Found, find

LOOK = "operations.view_operation"


class Command(BaseCommand):
    help = "Finds services, commits, runs, files, people, variables and operations by name or id, and acts in words."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("words", nargs="+")
        parser.add_argument("--as", dest="actor", default="", help="who looks (demo only; otherwise OPS_TOKEN)")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = cli.actor(options, LOOK, None)
        except (Refused, PermissionDenied) as refusal:
            raise CommandError(str(refusal), returncode=2) from None
        words = " ".join(options["words"])
        found = [Found("Do", "", action.label, action.url) for action in actions(user, words)]
        found += find(user, words)
        base = settings.OPS_BASE_URL.rstrip("/")
        lines = [{"heading": each.heading, "label": each.label, "url": base + each.url} for each in found]
        if options["json"]:
            self.stdout.write(json.dumps(lines))
        elif lines:
            self.stdout.write("\n".join(f"{line['heading']}: {line['label']}\n  {line['url']}" for line in lines))
        else:
            self.stderr.write("Nothing found: neither a name, nor an id, nor an act. Fewer letters find more.")
        if not lines:
            sys.exit(1)
