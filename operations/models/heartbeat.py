"""Heartbeat: the last sign of life of a worker, a queue's canary, the ticker or a periodic job."""

from __future__ import annotations

from django.db import models


class Heartbeat(models.Model):
    name = models.CharField(primary_key=True, max_length=120)
    beat_at = models.DateTimeField()
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
