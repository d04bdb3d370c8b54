"""Step: one journaled part of an operation, written at the request, before it acts and after it acted."""

from __future__ import annotations

from django.db import models

from operations.models.operation import Operation


class StepStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    SKIPPED = "skipped", "Skipped"


class Step(models.Model):
    operation = models.ForeignKey(Operation, on_delete=models.PROTECT, related_name="steps")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=80)
    pool = models.CharField(max_length=20)
    always = models.BooleanField(default=False)
    status = models.CharField(max_length=12, choices=StepStatus, default=StepStatus.PENDING)
    attempt = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    detail = models.JSONField(default=dict, help_text="What the step needs to resume; never a secret.")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["operation", "position"], name="step_position"),
            models.UniqueConstraint(fields=["operation", "name"], name="step_name"),
            models.CheckConstraint(name="step_status_known", condition=models.Q(status__in=StepStatus.values)),
        ]

    def __str__(self) -> str:
        return f"{self.operation_id} {self.name}"

    @property
    def ended(self) -> bool:
        return self.status in (StepStatus.SUCCEEDED, StepStatus.SKIPPED)

    @property
    def seconds(self) -> float | None:
        if not (self.started_at and self.ended_at):
            return None
        return (self.ended_at - self.started_at).total_seconds()
