"""The sign-in provider: it answers, and somebody gets in while it does not."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.models import User

from operations.doctor import Check, register
from operations.models import Environment
from providers import oidc
from providers.errors import ProviderError

WHY = "Where it signs people in, nobody else does."


@register
def sign_on(environment: Environment | None) -> Iterator[Check]:
    """Its discovery document is there; of those whose password still counts, one is an active admin."""
    if not settings.OIDC_ISSUER:
        yield Check("sign-in provider", "idle", "OIDC_ISSUER is not set; passwords sign people in", WHY)
        return
    try:
        oidc.discover(settings.OIDC_ISSUER, loopback=settings.DEMO)
    except ProviderError as error:
        yield Check("sign-in provider", "bad", str(error), WHY, "Check OIDC_ISSUER, and the provider's own status.")
    else:
        yield Check("sign-in provider", "ok", "answers and calls itself as OIDC_ISSUER does", WHY)
    kept = settings.OIDC_PASSWORD_USERS
    admins = User.objects.filter(username__in=kept, is_active=True, groups__name="Admin")
    if kept and not any(admin.has_usable_password() for admin in admins):
        fix = "Name an active Admin with a password in OIDC_PASSWORD_USERS."
        yield Check("sign-in without it", "bad", "nobody could sign in while the provider is away", WHY, fix)
