"""Requests to each provider by the hour, of all processes. In: what this process counted. Out: a row per provider."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from operations.models import Heartbeat
from operations.periodic.clock import database_time
from providers.http import tally

PREFIX = "calls:"
KEPT = timedelta(hours=48)


def keep() -> None:
    """Add what was counted since the last time."""
    for provider, count in tally.taken().items():
        _add(f"{PREFIX}{provider}", count)


@transaction.atomic
def _add(name: str, count: int) -> None:
    now = database_time()
    Heartbeat.objects.get_or_create(name=name, defaults={"beat_at": now})
    row = Heartbeat.objects.select_for_update().get(name=name)
    hour, oldest = f"{now:%Y-%m-%dT%H}", f"{now - KEPT:%Y-%m-%dT%H}"
    hours = {key: number for key, number in row.detail.items() if key > oldest}
    row.detail, row.beat_at = {**hours, hour: hours.get(hour, 0) + count}, now
    row.save(update_fields=["detail", "beat_at"])


def by_provider() -> list[tuple[str, int, int]]:
    """(provider, requests in this hour and the one before, requests in a day)."""
    now: datetime = database_time()
    lately = {f"{now - timedelta(hours=back):%Y-%m-%dT%H}" for back in (0, 1)}
    day = f"{now - timedelta(hours=24):%Y-%m-%dT%H}"
    rows = Heartbeat.objects.filter(name__startswith=PREFIX)
    return [
        (
            row.name.removeprefix(PREFIX),
            sum(count for hour, count in row.detail.items() if hour in lately),
            sum(count for hour, count in row.detail.items() if hour > day),
        )
        for row in rows
    ]
