"""What this portal wrote itself: signatures by AUTHORITY_KEY, or an HMAC by the key that all its processes share.

In: an entry, or a purpose and a text. Out: its code, and whether one holds. Whoever writes SQL can continue the chain,
as its hashes need no key. Every process holds the shared key and with it could make what votes rest on; so from the
entry on that published a public key, only signatures count for that. Nobody takes that entry back; whoever has the
shared key alone could publish another key, and is believed by no process that holds its own.
"""

from __future__ import annotations

import base64
import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from ledger import canonical
from ledger.models import Entry, database_time
from providers.errors import Refused

_SALT = "ledger.entry"
PUBLISHED = "ledger.authority_key_published"
SIGNED = "ed25519:"
LEAST = 32  # characters of a key that nobody guesses
_ASK_AGAIN = 30.0  # seconds
GRACE = timedelta(minutes=10)  # in which rows get their signature that a process wrote before it heard of the key


@dataclass(frozen=True)
class Published:
    """From which entry on only signatures count (none: not yet), its time, and the public keys that entries name."""

    since: int | None
    at: datetime | None
    keys: tuple[str, ...]

    def is_settled(self) -> bool:
        """Whether what is no entry needs a signature too."""
        return self.at is not None and database_time() - self.at >= GRACE


_known: list[tuple[float, Published]] = []


def digest_of(entry: Entry) -> str:
    """The hash an entry must have: over its fields in the order of `sql/entries.sql`, chained to the previous."""
    at = entry.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    who = [entry.actor, entry.code, entry.environment, entry.subject, entry.channel, entry.os_user, entry.host]
    return canonical.digest(entry.previous_sha256, [entry.sequence, at, *who, entry.data, entry.seeded])


def code_of(sha256: str) -> str:
    """The code of this process over this hash, which covers number, place and content."""
    return make(_SALT, sha256)


def shared_code_of(sha256: str) -> str:
    """The code that every process could make."""
    return mac(_SALT, sha256, settings.SHARED_KEY)


def is_genuine(entry: Entry, *, humble: bool = False) -> bool:
    """Whether a process of this portal wrote this entry, unaltered, at its place, and held what that takes.

    `humble` is what gives nobody anything: a process without AUTHORITY_KEY may have written it too.
    """
    intact = digest_of(entry) == entry.sha256
    return intact and holds(_SALT, entry.sha256, entry.mac, sequence=entry.sequence, humble=humble)


def make(purpose: str, text: str) -> str:
    """The code of this process over it: a signature where it holds AUTHORITY_KEY."""
    if not settings.AUTHORITY_KEY:
        return mac(purpose, text, settings.SHARED_KEY)
    return SIGNED + base64.b64encode(_private(settings.AUTHORITY_KEY).sign(_message(purpose, text))).decode()


def holds(purpose: str, text: str, code: str, *, sequence: int | None = None, humble: bool = False) -> bool:
    """Whether the portal made this code: by signature, or by the shared key where that is enough.

    That is before a key was published (`sequence` tells of entries that are older), and for what is `humble`: it gives
    nobody anything.
    """
    if is_signed(code):
        return any(_verifies(key, purpose, text, code) for key in public_keys())
    keys = (settings.SHARED_KEY, *settings.SHARED_KEY_FALLBACKS)
    if not any(constant_time_compare(mac(purpose, text, key), code) for key in keys):
        return False
    if humble:
        return True
    known = published()
    return not known.is_settled() if sequence is None else known.since is None or sequence < known.since


def is_signed(code: str) -> bool:
    return code.startswith(SIGNED)


def mac(purpose: str, text: str, key: str) -> str:
    return salted_hmac(purpose, text, secret=key, algorithm="sha256").hexdigest()


def public_keys() -> tuple[str, ...]:
    """Those of its own keys, where this process has one; else those that entries publish."""
    if settings.AUTHORITY_KEY:
        return tuple(public_key(key) for key in (settings.AUTHORITY_KEY, *settings.AUTHORITY_KEY_FALLBACKS))
    return published().keys


def public_key(key: str) -> str:
    """The public half of this AUTHORITY_KEY, as hex."""
    return _private(key).public_key().public_bytes_raw().hex()


def may_sign() -> bool:
    """Whether what this process writes counts for votes and roles."""
    return bool(settings.AUTHORITY_KEY) or published().since is None


def demand() -> None:
    """Raises Refused where a vote, a role or a broken glass would be written down in vain."""
    if not may_sign():
        raise Refused(
            "This process has no AUTHORITY_KEY, so what it writes of votes and roles counts for nothing. Nothing was "
            "changed; do it on the portal's pages, or at the shell of the web service."
        )


def published() -> Published:
    """One query, until a key is published, and every half minute where other processes have the key."""
    if _known and (time.monotonic() - _known[0][0] < _ASK_AGAIN or (settings.AUTHORITY_KEY and _known[0][1].since)):
        return _known[0][1]
    entries = [entry for entry in Entry.objects.filter(code=PUBLISHED).order_by("sequence") if _is_publication(entry)]
    named = tuple(dict.fromkeys(str(entry.payload["public_key"]) for entry in entries))
    first = entries[0] if entries else None
    known = Published(first.sequence if first else None, first.at if first else None, named)
    _known[:] = [(time.monotonic(), known)]
    return _known[0][1]


def forget() -> None:
    """Ask the ledger again: a key was published just now."""
    _known.clear()


def publication() -> dict[str, object]:
    """The data of the entry that publishes this process's key."""
    public = public_key(settings.AUTHORITY_KEY)
    return {"public_key": public, "code": mac(PUBLISHED, public, settings.SHARED_KEY)}


def _is_publication(entry: Entry) -> bool:
    """By a code of its own: whoever holds the public key alone could not make it, nor who writes SQL."""
    public, code = str(entry.payload.get("public_key")), str(entry.payload.get("code"))
    keys = (settings.SHARED_KEY, *settings.SHARED_KEY_FALLBACKS)
    return any(constant_time_compare(mac(PUBLISHED, public, key), code) for key in keys)


def _verifies(key: str, purpose: str, text: str, code: str) -> bool:
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        public.verify(base64.b64decode(code.removeprefix(SIGNED), validate=True), _message(purpose, text))
    except (InvalidSignature, ValueError):
        return False
    return True


def _message(purpose: str, text: str) -> bytes:
    return purpose.encode() + b"\0" + text.encode()


@lru_cache(maxsize=8)
def _private(key: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"sampelit_ops.authority\0" + key.encode()).digest())
