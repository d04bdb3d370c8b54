"""What a token rests on: its owner's password, roles and second factors. Where one of them changes, it ends.

In: a person. Out: one digest, stored when the token is made and compared whenever it is used, so that it ends
whichever way the change was made.
"""

from __future__ import annotations

import hashlib
import json

from django.contrib.auth.models import User
from django_otp import devices_for_user

from operations import authority
from operations.models import AccessToken


def standing_sha256(user: User, password: str = "") -> str:
    """`password`: another hash than the one that is stored now."""
    factors = sorted(device.persistent_id for device in devices_for_user(user))
    facts = [password or user.password, authority.roles(user), factors, user.is_staff, user.is_superuser]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def keep(user: User, before: str) -> None:
    """The same password in a newer hash, as Django stores it at a sign-in, is no change: what rested on it stays."""
    if before != user.password:
        rows = AccessToken.objects.filter(user=user, revoked_at=None, standing_sha256=standing_sha256(user, before))
        rows.update(standing_sha256=standing_sha256(user))
