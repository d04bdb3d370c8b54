"""AdvisorFinding: what Supabase's security and performance advisors said, from its first sight to its resolution."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from operations.models import Environment


class AdvisorFinding(models.Model):
    class Status(models.TextChoices):
        OPEN = "open", "Open"
        RESOLVED = "resolved", "Resolved"
        IGNORED = "ignored", "Ignored"

    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="findings")
    advisor = models.CharField(max_length=12, choices=[("security", "Security"), ("performance", "Performance")])
    name = models.CharField(max_length=200)
    title = models.CharField(max_length=300)
    level = models.CharField(max_length=12, help_text="ERROR, WARN or INFO, in Supabase's words.")
    detail = models.TextField(blank=True)
    remediation = models.CharField(max_length=500, blank=True)
    cache_key = models.CharField(max_length=500, help_text="Supabase's name of the finding from look to look.")
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    first_seen_at = models.DateTimeField(db_default=Now())
    last_seen_at = models.DateTimeField(db_default=Now())
    missing_since = models.DateTimeField(null=True, blank=True, help_text="First answer without it.")
    resolved_at = models.DateTimeField(null=True, blank=True, help_text="The advisor stopped saying it.")
    ignored_at = models.DateTimeField(null=True, blank=True)
    ignored_by = models.CharField(max_length=150, blank=True)
    reason = models.CharField(max_length=500, blank=True, help_text="Why it is ignored.")

    class Meta:
        ordering = ["status", "level", "name"]
        permissions = [("ignore_finding", "Can ignore an advisor's finding with a reason, and take that back")]
        constraints = [
            models.UniqueConstraint(fields=["environment", "advisor", "cache_key"], name="finding_once"),
            models.CheckConstraint(
                name="finding_status_known", condition=models.Q(status__in=["open", "resolved", "ignored"])
            ),
            models.CheckConstraint(
                name="finding_ignored_with_reason", condition=~models.Q(status="ignored") | ~models.Q(reason="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} on {self.environment}"
