"""What is used up once. StepUp: a person showed a second factor for exactly one act, spent in that act's transaction.

PasskeyChallenge: what an authenticator is to sign. SentForm: a person sent this very form, and where it led.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models.functions import Now

from ledger.models import database_time


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


def challenge_of(nonce: str, purpose: str) -> bytes:
    """What an authenticator signs for a purpose: whoever knows both can say later what was signed."""
    return hashlib.sha256(f"sampelit_ops.passkey\0{nonce}\0{purpose}".encode()).digest()


class PasskeyChallengeManager(models.Manager["PasskeyChallenge"]):
    def issue(self, person: User, session_sha256: str, purpose: str, expires_at: datetime) -> bytes:
        """32 bytes, made of random ones and the purpose, that count once, for exactly this."""
        nonce = secrets.token_hex(32)
        challenge = challenge_of(nonce, purpose)
        asked = {"person": person, "session_sha256": session_sha256, "purpose": purpose, "nonce": nonce}
        self.create(**asked, challenge=challenge.hex(), expires_at=expires_at)
        return challenge

    def spend(self, person: User, session_sha256: str, purpose: str, challenge: bytes) -> str:
        """Its nonce if it was issued for this, is fresh, and was not spent before; else nothing."""
        now = database_time()
        fresh = self.filter(challenge=challenge.hex(), spent_at=None, expires_at__gt=now)
        asked = fresh.filter(person=person, session_sha256=session_sha256, purpose=purpose)
        if not asked.update(spent_at=now):
            return ""
        return self.values_list("nonce", flat=True).get(challenge=challenge.hex())


class PasskeyChallenge(models.Model):
    """What an authenticator is to sign: for one person, session and purpose, once."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    session_sha256 = models.CharField(max_length=64)
    purpose = models.CharField(max_length=64)
    nonce = models.CharField(max_length=64, default="", db_default="")
    challenge = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[PasskeyChallengeManager] = PasskeyChallengeManager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.purpose} of {self.person}"
