"""Task: something a person still has to do, such as reviewing a break-glass or re-enabling autodeploy."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from operations.models.environment import Environment
from operations.models.operation import Operation


class Task(models.Model):
    class Kind(models.TextChoices):
        REVIEW_BREAK_GLASS = "review_break_glass", "Review a break-glass"
        REVIEW_RESTORE_OF_SERVICE = "review_restore_of_service", "Review a one-person act"
        ALWAYS_STEP_FAILING = "always_step_failing", "An always-step keeps failing"
        REENABLE_AUTODEPLOY = "reenable_autodeploy", "Re-enable autodeploy"
        OTHER = "other", "Other"

    kind = models.CharField(max_length=40, choices=Kind)
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, null=True, blank=True, related_name="tasks")
    operation = models.ForeignKey(Operation, on_delete=models.PROTECT, null=True, blank=True, related_name="tasks")
    not_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="This person's act is under review; somebody else closes the task.",
    )
    dedupe_key = models.CharField(max_length=200, unique=True)
    opened_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    resolution = models.TextField(blank=True)

    class Meta:
        ordering = ["closed_at", "-opened_at"]
        permissions = [("close_task", "Can close open tasks")]
        constraints = [
            models.CheckConstraint(name="task_kind_known", condition=models.Q(kind__regex=r"^[a-z_]+$")),
            models.CheckConstraint(
                name="task_closed_by_someone_else",
                condition=models.Q(closed_by=None) | models.Q(not_by=None) | ~models.Q(closed_by=models.F("not_by")),
            ),
            models.CheckConstraint(
                name="task_closed_whole",
                condition=models.Q(closed_at=None, closed_by=None) | models.Q(closed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.title
