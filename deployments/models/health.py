"""HealthCheck: one probe of a service's health address, of its status code and of its body."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from deployments.models.deployment import Deployment
from deployments.models.service import Service


class HealthCheck(models.Model):
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="health_checks")
    deployment = models.ForeignKey(
        Deployment, on_delete=models.CASCADE, null=True, blank=True, related_name="health_checks"
    )
    checked_at = models.DateTimeField(default=timezone.now)
    healthy = models.BooleanField()
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    body_status = models.CharField(max_length=60, blank=True)
    version = models.CharField(max_length=100, blank=True)
    latency_ms = models.PositiveIntegerField(null=True, blank=True)
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-checked_at"]
        indexes = [models.Index(fields=["service", "-checked_at"], name="health_by_service")]

    def __str__(self) -> str:
        return f"{self.service.name} {'healthy' if self.healthy else 'unhealthy'}"
