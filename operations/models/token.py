"""AccessToken: a personal key for the shell (OPS_TOKEN). Only its hash is stored; it expires and can be revoked."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone


def token_sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class AccessTokenManager(models.Manager["AccessToken"]):
    def issue(self, user: User, name: str, days: int = 30) -> tuple[AccessToken, str]:
        """Create a token; the clear text is returned once and stored nowhere."""
        clear = "opst_" + secrets.token_urlsafe(32)
        row = self.create(
            user=user, name=name, token_sha256=token_sha256(clear), expires_at=timezone.now() + timedelta(days=days)
        )
        return row, clear

    def owner(self, clear: str) -> User | None:
        """The active person whose living token this is, or None."""
        live = self.filter(token_sha256=token_sha256(clear), revoked_at=None, expires_at__gt=timezone.now())
        row = live.select_related("user").filter(user__is_active=True).first()
        if row is None:
            return None
        self.filter(pk=row.pk).update(last_used_at=timezone.now())
        return row.user


class AccessToken(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="access_tokens")
    name = models.CharField(max_length=100)
    token_sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[AccessTokenManager] = AccessTokenManager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"
