"""The keys this process holds, from settings: who can read backups, who signs them, whose signatures are accepted."""

from __future__ import annotations

import re
from functools import cache

from django.conf import settings

from backups.signing import Signer, Verifier, load_signer
from providers.errors import Refused


def recipients() -> tuple[str, ...]:
    """Public age keys that new segments are encrypted to; empty means not encrypted."""
    return tuple(item.strip() for item in settings.BACKUP_AGE_RECIPIENTS if item.strip())


def identities() -> tuple[str, ...]:
    """Private age keys of this process (only the proving worker has any), separated by commas or white space."""
    return tuple(item for item in re.split(r"[\s,]+", settings.BACKUP_AGE_IDENTITY) if item)


def signer() -> Signer | None:
    return _load(settings.BACKUP_SIGNING_KEY)


def verifier() -> Verifier | None:
    held = signer()
    return held.verifier if held else None


@cache
def _load(text: str) -> Signer | None:
    if not text:
        return None
    try:
        return load_signer(text)
    except ValueError as error:
        raise Refused(f"BACKUP_SIGNING_KEY cannot be used: {error}. Nothing was read or written.") from None
