"""What is used up once. StepUp: a person showed a second factor for exactly one act, spent in that act's transaction.

SentForm: a person sent this very form, and where it led.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class StepUp(models.Model):
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="step_ups")
    act = models.CharField(max_length=40)
    binding_sha256 = models.CharField(max_length=64)
    method = models.CharField(max_length=40)
    signed = models.JSONField(default=dict, db_default={}, help_text="What a passkey signed; of a code nothing.")
    shown_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-shown_at"]
        default_permissions = ()
        indexes = [models.Index(fields=["person", "binding_sha256"], name="step_up_by_binding")]

    def __str__(self) -> str:
        return f"{self.act} by {self.person}"


class SentForm(models.Model):
    """`key` is what the form carried, `place` the part of it that forms of one address share."""

    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=120)
    place = models.CharField(max_length=32)
    sent_at = models.DateTimeField(db_default=Now(), editable=False)
    answer = models.TextField(default="", help_text="Where it led; empty while it is being worked on.")

    class Meta:
        constraints = [models.UniqueConstraint("by", "key", name="form_sent_once")]
        indexes = [models.Index(fields=["by", "place"])]

    def __str__(self) -> str:
        return self.key
