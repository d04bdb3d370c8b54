"""Who may have changed a schema behind the portal's back: what the ledger and the target's own history say."""

from __future__ import annotations

from datetime import datetime

from ledger.models import Entry
from migrations_registry.models import HistoryReading
from operations.models import Environment

LISTED = 30


def who_was_about(environment: Environment, since: datetime) -> list[dict[str, str]]:
    return [*_around(environment, since), *_written_elsewhere(environment)]


def _around(environment: Environment, since: datetime) -> list[dict[str, str]]:
    """Who did what on this environment between the two looks, as far as the ledger knows."""
    entries = Entry.objects.filter(environment=environment.slug, at__gte=since).exclude(code__contains=".drift.")
    return [
        {"at": entry.at.isoformat(), "actor": entry.actor, "code": entry.code, "subject": entry.subject}
        for entry in entries.order_by("-at")[:LISTED]
    ]


def _written_elsewhere(environment: Environment) -> list[dict[str, str]]:
    """History rows that no registered file explains: somebody ran a migration without us; the platform may know who."""
    reading = HistoryReading.objects.filter(environment=environment).first()
    return [
        {"at": row["version"], "actor": row.get("by") or "not said", "code": "history row", "subject": row["name"]}
        for row in (reading.unknown[:LISTED] if reading else [])
    ]
