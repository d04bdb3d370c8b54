"""EvidenceReport: what was answered about a period, signed; the document is kept as it was signed, byte for byte."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from operations.models import Environment
from operations.models.ulid import new_ulid


class EvidenceReport(models.Model):
    class Verdict(models.TextChoices):
        INTACT = "intact", "Intact"
        UNKNOWN = "unknown", "Not known"
        ALTERED = "altered", "Altered"

    id = models.CharField(primary_key=True, max_length=26, default=new_ulid, editable=False)
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="evidence_reports")
    period_from = models.DateTimeField()
    period_to = models.DateTimeField(help_text="Not part of the period.")
    verdict = models.CharField(max_length=8, choices=Verdict)
    summary = models.TextField(help_text="Its first sentence.")
    document = models.TextField(help_text="Canonical JSON with its SHA-256 and signature.")
    sha256 = models.CharField(max_length=64)
    key = models.CharField(max_length=16, blank=True, help_text="Which key signed it.")
    produced_at = models.DateTimeField(db_default=Now())
    produced_by = models.CharField(max_length=150)

    class Meta:
        ordering = ["-produced_at"]
        default_permissions = ("view",)
        permissions = [("produce_evidencereport", "Can produce evidence reports and trace a decision")]
        constraints = [
            models.CheckConstraint(
                name="report_verdict_known", condition=models.Q(verdict__in=["intact", "unknown", "altered"])
            ),
            models.CheckConstraint(
                name="report_period_forwards", condition=models.Q(period_to__gt=models.F("period_from"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.environment} {self.period_from:%Y-%m-%d} to {self.period_to:%Y-%m-%d}"
