"""Heartbeat: the last sign of life of a worker, a queue's canary, the ticker or a periodic job, or the last look at
something outside with what was seen."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Now


class HeartbeatQuerySet(models.QuerySet["Heartbeat"]):
    def keep(self, name: str, seen: dict[str, Any]) -> None:
        """Remember what was seen just now, in the place of what was seen before."""
        self.update_or_create(name=name, defaults={"beat_at": Now(), "detail": seen})

    def kept(self, name: str) -> dict[str, Any]:
        """What was seen last; nothing before the first look."""
        return dict(self.filter(name=name).values_list("detail", flat=True).first() or {})


class Heartbeat(models.Model):
    name = models.CharField(primary_key=True, max_length=120)
    beat_at = models.DateTimeField()
    detail = models.JSONField(default=dict)

    objects: ClassVar[HeartbeatQuerySet] = HeartbeatQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
