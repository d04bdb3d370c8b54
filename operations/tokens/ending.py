"""The end of personal tokens: one by a person, all of a person's with their password, factor, roles or account."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from ledger.services import record
from operations.models import AccessToken
from operations.periodic.clock import database_time


@transaction.atomic
def revoke(token: AccessToken, *, actor: str, why: str = "") -> bool:
    """End it at once, with an entry; False where it had ended."""
    revoked = AccessToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=database_time())
    if revoked:
        whose = "" if actor == token.user.username else token.user.username
        record("signin.token_revoked", actor=actor, subject=token.name, data={"owner": whose, "why": why})
    return bool(revoked)


def end_tokens(user: User, *, actor: str, why: str = "") -> None:
    """Revoke every living token of this person, with one ledger entry that names them, if there are any."""
    living = AccessToken.objects.filter(user=user, revoked_at=None)
    names = sorted(living.values_list("name", flat=True))
    living.update(revoked_at=database_time())
    if names:
        data = {"tokens": names, "why": why}
        record("signin.tokens_revoked", actor=actor, subject=user.username, data=data)
