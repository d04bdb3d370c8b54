"""`manage.py sync_functions [--environment E] [--json]`: one reading of edge functions, secret names and advisors."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from deployments.functions.connection_state import note
from deployments.functions.sync import SyncReport, sync, sync_all
from deployments.models import EdgeFunction
from operations.models import Environment
from operations.supabase_projects import supabase
from providers.errors import ProviderError, Refused


class Command(BaseCommand):
    help = "Reads edge functions, names of secrets and advisors from Supabase, and keeps every new version's bundle."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--environment", help="only this one")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = _one(options["environment"]) if options["environment"] else sync_all(impatient=False)
        except (ProviderError, Refused) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(asdict(report)))
        else:
            self._print(report)
        if failed := report.failed + report.broken:
            raise CommandError("Not read: " + "; ".join(failed))

    def _print(self, report: SyncReport) -> None:
        for row in EdgeFunction.objects.filter(removed_at=None).select_related("environment"):
            self.stdout.write(f"{row.environment.slug}\t{row.slug}\tversion {row.version}\t{row.health}")
        self.stdout.write(
            f"{report.functions} functions, {report.versions} new versions kept, {report.removed} gone; "
            f"{report.secrets} secrets by name; {report.findings} findings opened, {report.resolved} resolved."
        )


def _one(slug: str) -> SyncReport:
    environment = Environment.objects.filter(slug=slug).first()
    if environment is None:
        raise Refused(f"There is no environment {slug!r}. Nothing was asked of Supabase.")
    try:
        return sync(supabase(deadline=60.0), environment)
    except ProviderError as error:
        note(environment, error)
        raise
