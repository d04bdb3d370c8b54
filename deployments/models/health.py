"""HealthCheck: one probe of a service's health address, of its status code and of its body."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from deployments.models.deployment import Deployment
from deployments.models.service import Service


class HealthCheck(models.Model):
    class Verdict(models.TextChoices):
        GOOD = "good", "Healthy"
        BAD = "bad", "Says that it is not well"
        STALE = "stale", "Answers as an older version"
        SILENT = "silent", "Does not answer, others do"
        UNCLEAR = "unclear", "Answers without a word about health"
        BLIND = "blind", "The portal cannot see"

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="health_checks")
    deployment = models.ForeignKey(
        Deployment, on_delete=models.CASCADE, null=True, blank=True, related_name="health_checks"
    )
    checked_at = models.DateTimeField(db_default=Now())
    healthy = models.BooleanField()
    verdict = models.CharField(max_length=8, choices=Verdict, blank=True, default="")
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    body_status = models.CharField(max_length=60, blank=True)
    version = models.CharField(max_length=100, blank=True)
    latency_ms = models.PositiveIntegerField(null=True, blank=True)
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-checked_at"]
        constraints = [
            models.CheckConstraint(
                name="health_verdict_known",
                condition=models.Q(verdict__in=["", "good", "bad", "stale", "silent", "unclear", "blind"]),
            )
        ]
        indexes = [models.Index(fields=["service", "-checked_at"], name="health_by_service")]

    def __str__(self) -> str:
        return f"{self.service.name} {'healthy' if self.healthy else 'unhealthy'}"
