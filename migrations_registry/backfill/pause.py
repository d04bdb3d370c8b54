"""Whether a backfill is to stand still, and who says so. In: an application's row. Out: a sentence, or nothing."""

from __future__ import annotations

from migrations_registry.models import Application
from operations.models import Environment


def held_by(row: Application) -> str:
    """Asked anew: a person who paused it, or a freeze of its environment."""
    now = Application.objects.filter(pk=row.pk).values_list("paused_by", flat=True).first()
    if now:
        return f"paused by {now}"
    frozen = Environment.objects.get(pk=row.environment_id).frozen_by()
    return f"{frozen} is frozen: {frozen.freeze_reason}" if frozen else ""
