"""Checks of personal tokens: none outlives what is allowed, and none lies about unused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Coalesce

from operations.doctor import Check, register
from operations.models import AccessToken, Environment
from operations.periodic.clock import database_time

UNUSED_FOR = timedelta(days=90)


@register
def tokens(environment: Environment | None) -> Iterator[Check]:
    """Every living token ends within OPS_TOKEN_DAYS, and somebody used it within 90 days."""
    now = database_time()
    living = AccessToken.objects.filter(revoked_at=None, expires_at__gt=now).select_related("user")
    late = living.filter(expires_at__gt=now + timedelta(days=settings.OPS_TOKEN_DAYS))
    idle = living.alias(at=Coalesce("last_used_at", "created_at")).filter(at__lt=now - UNUSED_FOR)
    said = [f"{row} lives longer than OPS_TOKEN_DAYS allows" for row in late[:10]]
    said += [f"{row} was not used for 90 days" for row in idle[:10]]
    why = "A key that nobody misses is found by somebody else."
    fix = "Revoke them: Tokens in the admin, or `ops token revoke ID --all`." if said else ""
    found = "; ".join(said) or f"{living.count()} living, each with an end and in use"
    yield Check("tokens", "warn" if said else "ok", found, why, fix)
