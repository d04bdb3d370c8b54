"""Restore: one attempt to bring a run's rows into a database, and what arrived there."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from backups.models.run import Run
from operations.models import Operation


class Restore(models.Model):
    class Status(models.TextChoices):
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"

    operation = models.OneToOneField(Operation, on_delete=models.PROTECT, related_name="backup_restore")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="restores")
    target = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=Status, default=Status.RUNNING)
    rows = models.BigIntegerField(default=0)
    seconds = models.FloatField(null=True, blank=True)
    report = models.JSONField(default=dict)
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-started_at"]
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                name="restore_status_known", condition=models.Q(status__in=["running", "succeeded", "failed"])
            )
        ]

    def __str__(self) -> str:
        return f"{self.run} into {self.target}"
