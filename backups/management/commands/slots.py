"""sampelit-ops slots list|acknowledge: a schedule's kept and red moments, and who takes the red ones over."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.db.models import QuerySet

from backups.models import Slot
from backups.policies.scheduler import MAY_ACKNOWLEDGE, RED, acknowledge
from operations import cli
from operations.models import Environment
from providers.answers import Answer, AnsweringCommand, columns


class Command(AnsweringCommand):
    help = "`list` shows the newest slots; `acknowledge` stops the daily reminders of the red ones, by name."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("verb", choices=["list", "acknowledge"])
        parser.add_argument("--environment", help="only this environment")
        parser.add_argument("--policy", help="only this policy")
        parser.add_argument("--red", action="store_true", help="only late, failed and missed ones")
        parser.add_argument("--as", dest="actor", metavar="USER", help="who acts (demo only; else OPS_TOKEN)")

    def answer(self, options: dict[str, Any]) -> Answer:
        slots = _wanted(options)
        return _acknowledged(slots, options) if options["verb"] == "acknowledge" else _listed(slots, options)


def _acknowledged(slots: QuerySet[Slot], options: dict[str, Any]) -> Answer:
    by = cli.actor(options, MAY_ACKNOWLEDGE, _place(options))
    count = acknowledge(slots, by)
    told = f"{count} slot{'' if count == 1 else 's'} acknowledged by {by.username}; their reminders stop."
    return Answer({"acknowledged": count, "by": by.username}, [told], follow="`sampelit-ops slots list --red`")


def _listed(slots: QuerySet[Slot], options: dict[str, Any]) -> Answer:
    rows = slots.filter(status__in=RED) if options["red"] else slots
    documents = [_document(row) for row in rows.select_related("policy__environment")[:100]]
    red = any(row["status"] in RED and not row["acknowledged_by"] for row in documents)
    return Answer(
        documents,
        columns(map(_row, documents)) or ["No slots."],
        follow="`sampelit-ops slots acknowledge` takes red ones over." if red else "nothing is red.",
    )


def _row(document: dict[str, Any]) -> tuple[str, ...]:
    taken = f" (taken over by {document['acknowledged_by']})" if document["acknowledged_by"] else ""
    return (document["at"], document["status"], document["policy"], f"{document['reason']}{taken}")


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
