"""RulePolicy: thresholds and raised or lowered rules, as versioned rows; the newest is in force. Rows never change."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from migrations_registry.analysis.risk import DEFAULT_POLICY, Policy


class RulePolicy(models.Model):
    class Gate(models.TextChoices):
        WARN = "warn", "Say it, never refuse a deploy"
        REFUSE = "refuse", "Refuse a deploy to a protected environment while its migrations are missing there"
        STRICT = "strict", "The same, and also while nobody can read which are missing"

    version = models.PositiveIntegerField(unique=True)
    rows = models.PositiveBigIntegerField(default=DEFAULT_POLICY.rows)
    bytes = models.PositiveBigIntegerField(default=DEFAULT_POLICY.bytes)
    maintenance_seconds = models.PositiveIntegerField(default=DEFAULT_POLICY.maintenance_seconds)
    keep_bytes = models.PositiveBigIntegerField(default=DEFAULT_POLICY.keep_bytes)
    gate = models.CharField(max_length=6, choices=Gate, default=Gate.WARN)
    severities = models.JSONField(default=dict, help_text="Rule id → severity, where it differs from the catalogue.")
    operation = models.CharField(max_length=26, blank=True, help_text="The operation that put it in force.")
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.CharField(max_length=150)

    class Meta:
        verbose_name_plural = "rule policies"
        ordering = ["-version"]
        constraints = [
            models.CheckConstraint(
                name="rulepolicy_gate_known", condition=models.Q(gate__in=["warn", "refuse", "strict"])
            )
        ]

    def __str__(self) -> str:
        return f"policy {self.version}"

    def spec(self) -> Policy:
        """The plain policy that the analysis understands."""
        return Policy(self.rows, self.bytes, dict(self.severities), self.maintenance_seconds, self.keep_bytes)
