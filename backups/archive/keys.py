"""The keys this process holds, from settings: who can read backups, who signs them, whose signatures are accepted."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from django.conf import settings

from backups.archive.signatures import Signer, Verifier, load_signer, load_verifier
from providers.errors import Refused


def recipients() -> tuple[str, ...]:
    """Public age keys that new segments are encrypted to; empty means not encrypted."""
    return tuple(item.strip() for item in settings.BACKUP_AGE_RECIPIENTS if item.strip())


def refuse_single_recipient(keys: Sequence[str]) -> None:
    """One key is worse than it looks: with it, every backup is lost. None is a choice that `doctor` shows amber."""
    if len(set(keys)) == 1 and not settings.DEMO:
        raise Refused(
            "Backups would be encrypted to one key only, and whoever loses it loses every backup. Nothing was copied. "
            "Make an offline recovery key with `sampelit-ops keys create age --out FILE` and set BACKUP_AGE_RECIPIENTS "
            "to both public keys, separated by a comma."
        )


def identities() -> tuple[str, ...]:
    """Private age keys of this process (only the proving worker has any), separated by commas or white space."""
    return tuple(item for item in re.split(r"[\s,]+", settings.BACKUP_AGE_IDENTITY) if item)


def signer() -> Signer | None:
    return _load(settings.BACKUP_SIGNING_KEY)


def verifiers() -> list[Verifier]:
    """Every public key whose signatures are accepted: the own one first, then BACKUP_PUBLIC_KEYS (retired, others')."""
    held = signer()
    return ([held.verifier] if held else []) + [_public(text) for text in public_texts()]


def public_pem() -> str:
    """All of them as one PEM file, as the offline verifiers take it."""
    return "".join(f"{verifier.pem.strip()}\n" for verifier in verifiers())


def verifier() -> Verifier | None:
    """What manifests are checked with; None when no key is known, then only their own SHA-256 is checked."""
    accepted = verifiers()
    return replace(accepted[0], others=tuple(accepted[1:])) if accepted else None


def public_texts() -> tuple[str, ...]:
    return tuple(item.strip() for item in settings.BACKUP_PUBLIC_KEYS if item.strip())


def public_text(key: Verifier) -> str:
    """A public key as one line, as BACKUP_PUBLIC_KEYS holds it."""
    return base64.b64encode(key.public.public_bytes_raw()).decode()


@cache
def _public(text: str) -> Verifier:
    try:
        return load_verifier(text)
    except ValueError as error:
        raise Refused(f"BACKUP_PUBLIC_KEYS cannot be used: {error}. Nothing was read or written.") from None


@cache
def _load(text: str) -> Signer | None:
    if not text:
        return None
    try:
        return load_signer(text)
    except ValueError as error:
        raise Refused(f"BACKUP_SIGNING_KEY cannot be used: {error}. Nothing was read or written.") from None
