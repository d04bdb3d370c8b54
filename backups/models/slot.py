"""Slot: one moment at which a policy's schedule says that it runs. Unique, so nothing runs it twice."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from backups.models.policy import Policy
from operations.models import Operation


class Slot(models.Model):
    class Status(models.TextChoices):
        STARTED = "started", "Started"
        PROVEN = "proven", "Proven"
        FAILED = "failed", "Failed"
        LATE = "late", "Late"
        MISSED = "missed", "Missed"

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="slots")
    at = models.DateTimeField()
    operation = models.OneToOneField(
        Operation, on_delete=models.PROTECT, null=True, blank=True, related_name="backup_slot"
    )
    status = models.CharField(max_length=8, choices=Status, default=Status.STARTED)
    reason = models.CharField(max_length=300, blank=True)
    alerted_at = models.DateTimeField(null=True, blank=True)
    reminders = models.PositiveIntegerField(default=0, help_text="How often people were told again.")
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-at"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["policy", "at"], name="slot_once_per_policy"),
            models.CheckConstraint(
                name="slot_status_known",
                condition=models.Q(status__in=["started", "proven", "failed", "late", "missed"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.policy} {self.at:%Y-%m-%d %H:%M}"
