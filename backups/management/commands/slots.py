"""manage.py slots list|acknowledge: a schedule's kept and red moments, and the person who takes the red ones over."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet

from backups.models import Slot
from backups.policies.scheduler import MAY_ACKNOWLEDGE, RED, acknowledge
from operations import cli
from operations.models import Environment
from providers.errors import Refused


class Command(BaseCommand):
    help = "`list` shows the newest slots; `acknowledge` stops the daily reminders of the red ones, by name."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("verb", choices=["list", "acknowledge"])
        parser.add_argument("--environment", help="only this environment")
        parser.add_argument("--policy", help="only this policy")
        parser.add_argument("--red", action="store_true", help="only late, failed and missed ones")
        parser.add_argument("--as", dest="actor", metavar="USER", help="who acts (demo only; else OPS_TOKEN)")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, **options: Any) -> None:
        slots = _wanted(options)
        if options["verb"] == "acknowledge":
            self._acknowledge(slots, options)
        else:
            self._list(slots, options)

    def _acknowledge(self, slots: QuerySet[Slot], options: dict[str, Any]) -> None:
        try:
            by = cli.actor(options, MAY_ACKNOWLEDGE, _place(options))
            count = acknowledge(slots, by)
        except (Refused, PermissionDenied) as refusal:
            raise CommandError(str(refusal), returncode=2) from None
        document = {"acknowledged": count, "by": by.username}
        text = f"{count} slot(s) acknowledged by {by.username}; their reminders stop."
        self.stdout.write(json.dumps(document) if options["as_json"] else text)

    def _list(self, slots: QuerySet[Slot], options: dict[str, Any]) -> None:
        rows = slots.filter(status__in=RED) if options["red"] else slots
        documents = [_document(row) for row in rows.select_related("policy__environment")[:100]]
        if options["as_json"]:
            self.stdout.write(json.dumps(documents))
            return
        for row in documents:
            taken = f" (taken over by {row['acknowledged_by']})" if row["acknowledged_by"] else ""
            self.stdout.write(f"{row['at']}  {row['status']:<8} {row['policy']}  {row['reason']}{taken}")


def _place(options: dict[str, Any]) -> Environment | None:
    return Environment.objects.filter(slug=options["environment"]).first() if options["environment"] else None


def _wanted(options: dict[str, Any]) -> QuerySet[Slot]:
    wanted = {"policy__environment__slug": options["environment"], "policy__name": options["policy"]}
    return Slot.objects.filter(**{name: value for name, value in wanted.items() if value})


def _document(row: Slot) -> dict[str, Any]:
    return {
        "policy": str(row.policy),
        "at": row.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "status": row.status,
        "operation": row.operation_id,
        "reason": row.reason,
        "reminders": row.reminders,
        "acknowledged_by": row.acknowledged_by,
    }
