"""ConfigFingerprint: that a service has a variable, and a keyed fingerprint of its value. The value is never stored."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from deployments.models.service import Service


class ConfigFingerprint(models.Model):
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="variables")
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64, help_text="HMAC-SHA256 of the value; comparable, not reversible.")
    changed_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["key"]
        constraints = [models.UniqueConstraint(fields=["service", "key"], name="fingerprint_once")]

    def __str__(self) -> str:
        return f"{self.service.name} {self.key}"
