"""Notification: one message on its way out through one channel, written with the change it speaks about."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class Notification(models.Model):
    class Channel(models.TextChoices):
        EMAIL = "email", "E-mail"
        SLACK = "slack", "Slack"
        WEBHOOK = "webhook", "Webhook"
        LOG = "log", "Log only"

    dedupe_key = models.CharField(max_length=250, unique=True)
    channel = models.CharField(max_length=10, choices=Channel)
    recipients = models.TextField(blank=True, help_text="Mail addresses, one a line.")
    subject = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    url = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(db_default=Now(), null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-created_at"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["next_attempt_at"], name="notification_due", condition=models.Q(sent_at=None)),
            models.Index(fields=["-created_at"], name="notification_recent"),
        ]
        constraints = [
            models.CheckConstraint(
                name="notification_channel_known", condition=models.Q(channel__in=["email", "slack", "webhook", "log"])
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def state(self) -> str:
        """sent, waiting, retrying or failed (given up)."""
        if self.sent_at:
            return "sent"
        if self.next_attempt_at is None:
            return "failed"
        return "retrying" if self.attempts else "waiting"
