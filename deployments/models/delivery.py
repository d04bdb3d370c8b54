"""WebhookDelivery: one signed message of Render, stored once; the delivery id is unique because Render retries."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class WebhookDelivery(models.Model):
    class Status(models.TextChoices):
        RECEIVED = "received", "Received"
        PROCESSED = "processed", "Processed"
        IGNORED = "ignored", "Ignored"
        FAILED = "failed", "Failed"

    delivery_id = models.CharField(max_length=200, unique=True)
    event_type = models.CharField(max_length=100, blank=True)
    event_id = models.CharField(max_length=100, blank=True)
    service_render_id = models.CharField(max_length=80, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField(db_default=Now())
    status = models.CharField(max_length=12, choices=Status, default=Status.RECEIVED)
    attempts = models.PositiveSmallIntegerField(default=0)
    processed_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-received_at"]
        verbose_name_plural = "webhook deliveries"
        indexes = [
            models.Index(
                fields=["received_at"], name="delivery_waiting", condition=models.Q(status__in=["received", "failed"])
            ),
            models.Index(fields=["-received_at"], name="delivery_recent"),
        ]
        constraints = [
            models.CheckConstraint(
                name="delivery_status_known",
                condition=models.Q(status__in=["received", "processed", "ignored", "failed"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.delivery_id}"
