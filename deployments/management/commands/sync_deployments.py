"""`manage.py sync_deployments [--all] [--json]`: one poll of Render; `--all` reads every history again."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from deployments.render.client import render
from deployments.render.sync import poll
from providers.errors import ProviderError, Refused


class Command(BaseCommand):
    help = "Reads services and deploys from Render and records what changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="read the whole history of every service again")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        def progress(name: str, count: int) -> None:
            self.stderr.write(f"{name}: {count} deployments read")

        try:
            report = poll(full=options["all"], progress=progress, client=render(deadline=180.0))
        except (ProviderError, Refused) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(asdict(report)))
            return
        self.stdout.write(f"{report.services} services, {report.created} new deployments, {report.changed} changed.")
        for line in report.failed:
            self.stderr.write(f"not read: {line}")
