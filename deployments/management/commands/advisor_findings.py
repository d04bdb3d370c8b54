"""`sampelit-ops advisor_findings [--environment E] [--all] [--json]`, `--ignore ID --reason TEXT`, `--reopen ID`."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import PermissionDenied

from deployments.functions import advisors
from deployments.models import AdvisorFinding
from operations import cli
from operations.authority import why_not
from providers.answers import Answer, AnsweringCommand, Objects, columns
from providers.errors import Refused

PERMISSION = "deployments.ignore_finding"
FIELDS = ("id", "advisor", "level", "status", "name", "detail", "remediation", "reason")


class Command(AnsweringCommand):
    help = "Lists what Supabase's advisors say and what became of it; ignores a finding with a reason."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--environment", help="only this one")
        parser.add_argument("--all", action="store_true", help="also resolved ones")
        parser.add_argument("--ignore", type=int, metavar="ID")
        parser.add_argument("--reopen", type=int, metavar="ID")
        parser.add_argument("--reason", default="")
        parser.add_argument("--as", dest="actor", metavar="USER", help="the demo only; otherwise OPS_TOKEN")

    def answer(self, options: dict[str, Any]) -> Answer:
        """With --json one object a line."""
        if options["ignore"] or options["reopen"]:
            _act(options)
        rows = AdvisorFinding.objects.select_related("environment")
        if options["environment"]:
            rows = rows.filter(environment__slug=options["environment"])
        shown = list(rows if options["all"] else rows.exclude(status="resolved"))
        lines = columns(map(_row, shown)) or ["No findings."]
        return Answer(Objects(map(_document, shown)), lines, follow="mend one, or --ignore ID --reason TEXT.")


def _act(options: dict[str, Any]) -> None:
    finding = AdvisorFinding.objects.filter(pk=options["ignore"] or options["reopen"]).first()
    if finding is None:
        raise Refused("There is no such finding; nothing was changed.")
    by = cli.actor(options, PERMISSION, finding.environment)
    if refusal := why_not(by, PERMISSION, finding.environment, f"{by.get_username()} may not ignore findings."):
        raise PermissionDenied(f"{refusal} Nothing was changed.")
    if options["ignore"]:
        advisors.ignore(finding, by.get_username(), options["reason"])
    else:
        advisors.reopen(finding, by.get_username())


def _document(row: AdvisorFinding) -> dict[str, Any]:
    times = {"first_seen_at": row.first_seen_at.isoformat(), "last_seen_at": row.last_seen_at.isoformat()}
    return {name: getattr(row, name) for name in FIELDS} | {"environment": row.environment.slug} | times


def _row(row: AdvisorFinding) -> tuple[object, ...]:
    reason = f" (ignored: {row.reason})" if row.reason else ""
    return (row.pk, row.environment.slug, row.level, row.status, f"{row.title}: {row.detail}{reason}")
