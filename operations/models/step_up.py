"""StepUp: a person showed a second factor for exactly one act; it is spent in the transaction of that act."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone


class StepUp(models.Model):
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="step_ups")
    act = models.CharField(max_length=40)
    binding_sha256 = models.CharField(max_length=64)
    method = models.CharField(max_length=40)
    shown_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-shown_at"]
        default_permissions = ()
        indexes = [models.Index(fields=["person", "binding_sha256"], name="step_up_by_binding")]

    def __str__(self) -> str:
        return f"{self.act} by {self.person}"
