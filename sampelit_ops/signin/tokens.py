"""The end of personal tokens: with their person's password, by whoever changes it."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.utils import timezone

from ledger.services import record
from operations.models import AccessToken


def end_tokens(user: User, *, actor: str) -> None:
    """Revoke every living token of this person, with one ledger entry that names them, if there are any."""
    living = AccessToken.objects.filter(user=user, revoked_at=None)
    names = sorted(living.values_list("name", flat=True))
    living.update(revoked_at=timezone.now())
    if names:
        record("signin.tokens_revoked", actor=actor, subject=user.username, data={"tokens": names})
