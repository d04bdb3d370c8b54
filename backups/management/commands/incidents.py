"""`manage.py incidents [ID] [--environment E] [--all] [--json]`: what was altered. Exit 0 none open, 1 some are."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backups.models import Incident


class Command(BaseCommand):
    help = "List the incidents of the audit data, or show the rows of one. They are resolved by `ops request`."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", nargs="?", type=int)
        parser.add_argument("--environment")
        parser.add_argument("--all", action="store_true", help="resolved ones too")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = Incident.objects.select_related("environment").order_by("-opened_at")
        if options["id"] is not None:
            incident = rows.filter(pk=options["id"]).first()
            if incident is None:
                raise CommandError(f"There is no incident {options['id']}.")
            self.stdout.write(json.dumps(incident.evidence, indent=1) if options["as_json"] else _rows(incident))
            return
        if options["environment"]:
            rows = rows.filter(environment__slug=options["environment"])
        documents = [_document(row) for row in (rows if options["all"] else rows.open()).defer("evidence")[:500]]
        lines = [
            f"{document['incident']} {document['status']} {document['environment']} {document['summary']}"
            for document in documents
        ]
        self.stdout.write(json.dumps(documents) if options["as_json"] else "\n".join(lines) or "No open incidents.")
        if any(document["status"] == Incident.Status.OPEN for document in documents):
            sys.exit(1)


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


def _rows(incident: Incident) -> str:
    """The summary, then a line for every column that differs."""
    lines = [incident.summary]
    for row in incident.evidence.get("rows", []):
        lines.append(f"{row.get('chain', '')} {row.get('sequence', '')} {row.get('problem', '')}".strip())
        before, after = row.get("before") or {}, row.get("after") or {}
        for name in {**before, **after}:
            if before.get(name) != after.get(name):
                lines.append(f"  {name}: {before.get(name)} → {after.get(name) if after else 'no row'}")
    return "\n".join(lines)
