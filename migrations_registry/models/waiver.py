"""Waiver: one rule of one content is accepted, with a reason, by somebody other than who asked. Never by a comment."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from migrations_registry.models.file import MigrationFile


class Waiver(models.Model):
    file = models.ForeignKey(MigrationFile, on_delete=models.PROTECT, related_name="waivers")
    rule = models.CharField(max_length=40)
    line = models.PositiveIntegerField()
    reason = models.TextField()
    requested_by = models.CharField(max_length=150)
    requested_at = models.DateTimeField(db_default=Now())
    approved_by = models.CharField(max_length=150, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["file", "line"]
        constraints = [
            models.UniqueConstraint(name="waiver_once", fields=["file", "rule", "line"]),
            models.CheckConstraint(
                name="waiver_by_a_second_person", condition=~models.Q(approved_by=models.F("requested_by"))
            ),
            models.CheckConstraint(
                name="waiver_approval_is_whole",
                condition=models.Q(approved_by="", approved_at=None)
                | (~models.Q(approved_by="") & models.Q(approved_at__isnull=False)),
            ),
            models.CheckConstraint(name="waiver_has_a_reason", condition=~models.Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"{self.rule} at line {self.line} of {self.file}"

    @property
    def is_approved(self) -> bool:
        """Whether a second person agreed."""
        return bool(self.approved_by)
