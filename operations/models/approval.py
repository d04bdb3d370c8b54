"""Approval: one person's vote on exactly one content; the copied columns let the database refuse every cheat."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from operations.models.operation import Operation


class Approval(models.Model):
    class Decision(models.TextChoices):
        APPROVE = "approve", "Approved"
        REJECT = "reject", "Rejected"

    operation = models.ForeignKey(Operation, on_delete=models.PROTECT, related_name="approvals")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    content_sha256 = models.CharField(max_length=64)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(db_default=Now())
    decision = models.CharField(max_length=8, choices=Decision)
    comment = models.TextField(blank=True)
    channel = models.CharField(max_length=20, default="admin")
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["approved_at"]
        constraints = [
            models.UniqueConstraint(fields=["operation", "approved_by"], name="approval_one_vote"),
            models.CheckConstraint(
                name="approval_by_someone_else", condition=~models.Q(approved_by=models.F("requested_by"))
            ),
            models.CheckConstraint(
                name="approval_decision_known", condition=models.Q(decision__in=["approve", "reject"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_decision_display()} by {self.approved_by}"
