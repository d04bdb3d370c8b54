"""AccessToken: a personal key for the shell (OPS_TOKEN). Only its hash is stored; it expires and can be revoked."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from ledger.models import database_time
from operations.models.environment import Environment
from operations.models.token_scopes import READ, REQUEST, SCOPES, in_order, scope_of

MOST_ADDRESSES = 20


def token_sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def least_scopes() -> list[str]:
    return [READ]


class AccessTokenManager(models.Manager["AccessToken"]):
    def issue(
        self,
        user: User,
        name: str,
        days: int = 30,
        *,
        scopes: Iterable[str] = (READ, REQUEST),
        environment: Environment | None = None,
    ) -> tuple[AccessToken, str]:
        """Create a token; the clear text is returned once and stored nowhere."""
        clear = "opst_" + secrets.token_urlsafe(32)
        row = self.create(
            user=user,
            name=name,
            token_sha256=token_sha256(clear),
            expires_at=database_time() + timedelta(days=days),
            scopes=in_order(list(scopes)),
            environment=environment,
        )
        return row, clear


class AccessToken(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="access_tokens")
    name = models.CharField(max_length=100)
    token_sha256 = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=10), default=least_scopes)
    environment = models.ForeignKey(
        Environment, on_delete=models.PROTECT, null=True, blank=True, related_name="access_tokens"
    )
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_from = models.CharField(max_length=100, blank=True)
    used_from = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    standing_sha256 = models.CharField(max_length=64, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[AccessTokenManager] = AccessTokenManager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(scopes__contains=[READ], scopes__contained_by=list(SCOPES)),
                name="token_scopes_known",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"

    @property
    def state(self) -> str:
        if self.revoked_at:
            return "revoked"
        return "active" if self.expires_at > database_time() else "expired"

    @property
    def scope_words(self) -> str:
        """`read, request on staging`."""
        return ", ".join(self.scopes) + (f" on {self.environment}" if self.environment else "")

    def why_not(self, permission: str, environment: Environment | None) -> str:
        """Why it does not carry an act with this permission there (None: everywhere), or nothing; looking is whole."""
        scope = scope_of(permission)
        if scope not in self.scopes:
            return f"The token “{self.name}” is for {', '.join(self.scopes)}; this needs the scope {scope}."
        if scope == READ or self.environment is None or self.environment == environment:
            return ""
        place = f"not on {environment}" if environment else "and this concerns every environment"
        return f"The token “{self.name}” acts on {self.environment} alone, {place}."
