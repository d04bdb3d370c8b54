"""`sampelit-ops sync_functions [--environment E] [--json]`: reads edge functions, secret names and advisors."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import asdict, replace
from typing import Any

from django.core.management.base import CommandError

from deployments.functions.connection_state import note
from deployments.functions.sync import SyncReport, sync, sync_all
from deployments.models import EdgeFunction
from operations.dsns import environment_named
from operations.supabase_projects import supabase
from providers.answers import Answer, AnsweringCommand, columns
from providers.errors import ProviderError


class Command(AnsweringCommand):
    help = "Reads edge functions, names of secrets and advisors from Supabase, and keeps every new version's bundle."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--environment", help="only this one")

    def answer(self, options: dict[str, Any]) -> Answer:
        report = _one(options["environment"]) if options["environment"] else sync_all(impatient=False)
        answer = Answer(asdict(report), _lines(report), follow="`sampelit-ops advisor_findings` shows the findings.")
        if failed := report.failed + report.broken:
            self.tell(replace(answer, follow=""))
            raise CommandError("Not read: " + "; ".join(failed))
        return answer


def _lines(report: SyncReport) -> list[str]:
    rows = EdgeFunction.objects.filter(removed_at=None).select_related("environment")
    told = (
        f"{report.functions} functions, {report.versions} new versions kept, {report.removed} gone; "
        f"{report.secrets} secrets by name; {report.findings} findings opened, {report.resolved} resolved."
    )
    return [*columns((row.environment.slug, row.slug, f"version {row.version}", row.health) for row in rows), told]


def _one(slug: str) -> SyncReport:
    environment = environment_named(slug, "nothing was asked of Supabase")
    try:
        return sync(supabase(deadline=60.0), environment)
    except ProviderError as error:
        note(environment, error)
        raise
