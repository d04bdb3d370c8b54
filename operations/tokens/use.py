"""A token in use: whose it is, that it still stands, when and from where. `make` is how one comes to be.

In: the clear text from OPS_TOKEN. Out: its owner, who carries the token and with it its limits
(`operations/authority.py`), or None. An address that a token was never used from is an entry of the ledger.
"""

from __future__ import annotations

import ipaddress
import os

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from ledger import channel
from ledger.services import record
from operations.accounts import SYSTEM
from operations.models import AccessToken, Environment
from operations.models.token import MOST_ADDRESSES, token_sha256
from operations.models.token_scopes import in_order
from operations.periodic.clock import database_time
from operations.tokens.ending import revoke
from operations.tokens.standing import standing_sha256
from providers.errors import Refused


@transaction.atomic
def make(user: User, name: str, days: int, scopes: list[str], environment: Environment | None) -> str:
    """A new token's clear text, which is stored nowhere. Raise Refused where it would live too long."""
    if not 1 <= days <= settings.OPS_TOKEN_DAYS:
        raise Refused(f"A token lives 1 to {settings.OPS_TOKEN_DAYS} days. None was created; choose fewer.")
    token, clear = AccessToken.objects.issue(user, name, days, scopes=in_order(scopes), environment=environment)
    AccessToken.objects.filter(pk=token.pk).update(standing_sha256=standing_sha256(user))
    data = {"days": days, "scopes": token.scopes}
    slug = environment.slug if environment else ""
    record("signin.token_created", actor=user.username, environment=slug, subject=name, data=data)
    return clear


def owner(clear: str) -> User | None:
    """The active person whose living token this is, with the token as `token`; None for any other text."""
    living = AccessToken.objects.filter(revoked_at=None, expires_at__gt=database_time(), user__is_active=True)
    with transaction.atomic():
        rows = living.select_related("user", "environment").select_for_update(of=("self",))
        row = rows.filter(token_sha256=token_sha256(clear)).first()
        if row is None or not _stands(row):
            return None
        _note(row, address())
    row.user.token = row  # type: ignore[attr-defined]
    return row.user


def address() -> str:
    """Where the shell is used from: the far end of its SSH connection, else this machine."""
    try:
        return str(ipaddress.ip_address(os.environ.get("SSH_CONNECTION", "").split(" ")[0]))
    except ValueError:
        return channel.current().host


def _stands(row: AccessToken) -> bool:
    """Whether password, roles and factors are what they were; one from before this was asked is taken as it is."""
    now = standing_sha256(row.user)
    if row.standing_sha256 and row.standing_sha256 != now:
        revoke(row, actor=SYSTEM, why="the password, a role or a second factor has changed")
        return False
    row.standing_sha256 = now
    return True


def _note(row: AccessToken, here: str) -> None:
    row.last_used_at, row.last_used_from = database_time(), here
    new = here not in row.used_from
    row.used_from = [here, *(known for known in row.used_from if known != here)][:MOST_ADDRESSES]
    row.save(update_fields=["last_used_at", "last_used_from", "used_from", "standing_sha256"])
    if new:
        record("signin.token_used", actor=row.user.username, subject=row.name, data={"address": here})
