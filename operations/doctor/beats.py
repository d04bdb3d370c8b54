"""What living workers say of themselves with every beat. In: heartbeats. Out: their details."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from operations.models import Heartbeat
from operations.models.operation import database_now

PATIENCE = 4  # missed canaries


def living_workers() -> list[dict[str, Any]]:
    """The details of every worker that beat within a few canaries, with its `name`."""
    fresh = database_now(-PATIENCE * settings.OPS_CANARY_SECONDS)
    rows = Heartbeat.objects.filter(name__startswith="worker:", beat_at__gt=fresh).order_by("name")
    return [{**detail, "name": name.removeprefix("worker:")} for name, detail in rows.values_list("name", "detail")]
