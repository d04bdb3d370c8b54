"""`sampelit-ops incidents [ID] [--environment E] [--all] [--json]`: what was altered. Exit 0 none open, 1 some are."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from backups.models import Incident
from providers.answers import Answer, AnsweringCommand, columns


class Command(AnsweringCommand):
    help = "List the incidents of the audit data, or show the rows of one. They are resolved by `ops request`."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", nargs="?", type=int)
        parser.add_argument("--environment")
        parser.add_argument("--all", action="store_true", help="resolved ones too")

    def answer(self, options: dict[str, Any]) -> Answer:
        rows = Incident.objects.select_related("environment").order_by("-opened_at")
        if options["id"] is not None:
            return _one(rows.filter(pk=options["id"]).first(), options["id"])
        if options["environment"]:
            rows = rows.filter(environment__slug=options["environment"])
        documents = [_document(row) for row in (rows if options["all"] else rows.open()).defer("evidence")[:500]]
        names = ("incident", "status", "environment", "summary")
        still_open = any(document["status"] == Incident.Status.OPEN for document in documents)
        return Answer(
            documents,
            columns([document[name] for name in names] for document in documents) or ["No open incidents."],
            code=1 if still_open else 0,
            follow="`sampelit-ops incidents ID` shows its rows; `request backups.resolve_incident` ends it."
            if still_open
            else "nothing; --all shows resolved ones.",
        )


def _one(incident: Incident | None, asked: int) -> Answer:
    if incident is None:
        raise CommandError(f"There is no incident {asked}.", returncode=2)
    how = f"`sampelit-ops request backups.resolve_incident --environment {incident.environment.slug} --help`"
    return Answer(incident.evidence, _rows(incident), follow=f"{how} tells how it is resolved.")


def _document(row: Incident) -> dict[str, Any]:
    return {
        "incident": row.pk,
        "status": row.status,
        "code": row.code,
        "environment": row.environment.slug,
        "subject": row.subject,
        "summary": row.summary,
        "total": row.total,
        "run": row.run_id,
        "last_good": row.baseline_run_id,
        "opened_at": row.opened_at.isoformat(),
        "resolved_by": row.resolved_by,
        "reason": row.reason,
    }


def _rows(incident: Incident) -> list[str]:
    """The summary, then a line for every column that differs."""
    lines = [incident.summary]
    for row in incident.evidence.get("rows", []):
        lines.append(f"{row.get('chain', '')} {row.get('sequence', '')} {row.get('problem', '')}".strip())
        before, after = row.get("before") or {}, row.get("after") or {}
        for name in {**before, **after}:
            if before.get(name) != after.get(name):
                lines.append(f"  {name}: {before.get(name)} → {after.get(name) if after else 'no row'}")
    return lines
