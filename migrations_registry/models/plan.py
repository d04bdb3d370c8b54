"""Plan: how a file would be applied to one environment, with the estimates of the moment it was made."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from migrations_registry.models.file import MigrationFile
from migrations_registry.models.policy import RulePolicy
from operations.models import Environment, Risk


class Plan(models.Model):
    file = models.ForeignKey(MigrationFile, on_delete=models.PROTECT, related_name="plans")
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="migration_plans")
    policy = models.ForeignKey(RulePolicy, null=True, on_delete=models.PROTECT, related_name="plans")
    content_sha256 = models.CharField(max_length=64)
    risk = models.CharField(max_length=12, choices=Risk)
    ruleset = models.CharField(max_length=16)
    steps = models.JSONField(default=list)
    losses = models.JSONField(default=list)
    refusals = models.JSONField(default=list)
    row_counts = models.JSONField(default=list, help_text="Rows that met each statement's condition when it was made.")
    maintenance = models.TextField(blank=True)
    restore_point = models.TextField(blank=True)
    facts_at = models.DateTimeField(null=True, help_text="When the target's catalog was read; empty: it was not.")
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-made_at"]
        constraints = [
            models.UniqueConstraint(name="plan_one_per_content", fields=["file", "environment", "content_sha256"]),
        ]

    def __str__(self) -> str:
        return f"{self.file} on {self.environment}"
