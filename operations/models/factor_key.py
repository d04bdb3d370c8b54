"""What lies in the database of a second factor is sealed: AES-256-GCM under FACTOR_KEY, which lies outside of it.

In: bytes and whose they are. Out: `s1:<key>:<text>`, 80 characters at most for a key of an authenticator app. The owner
is bound to it, so a row that was copied to somebody else opens for nobody. FACTOR_KEY_FALLBACKS still open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from providers.errors import Refused

MARK = "s1"
LEAST = 32  # characters
NO_KEY = (
    "FACTOR_KEY is not set here, so no second factor can be read or written. Nothing was changed; set it for the web "
    "service (docs/security.md)."
)


def sealed(secret: bytes, owner: str) -> str:
    """The text that is stored. Raises Refused without a key."""
    key = _keys()[0]
    nonce = os.urandom(12)
    text = base64.urlsafe_b64encode(nonce + AESGCM(key).encrypt(nonce, secret, owner.encode())).decode().rstrip("=")
    return f"{MARK}:{_name(key)}:{text}"


def opened(text: str, owner: str) -> bytes:
    """What was sealed. Raises Refused where it lies in clear, was altered, is another's, or its key is gone."""
    mark, _, rest = text.partition(":")
    name, _, body = rest.partition(":")
    key = next((key for key in _keys() if _name(key) == name), None)
    if mark != MARK or key is None:
        raise Refused("This second factor is not sealed under a key that is known here. Nothing was done; `doctor`.")
    try:
        raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        return AESGCM(key).decrypt(raw[:12], raw[12:], owner.encode())
    except (InvalidTag, ValueError, binascii.Error):
        raise Refused(
            "This second factor was altered or is somebody else's. Nothing was done; start it over."
        ) from None


def is_sealed(text: str) -> bool:
    return text.startswith(f"{MARK}:")


def known(text: str) -> bool:
    """Whether a key that is set here sealed it."""
    return any(text.startswith(f"{MARK}:{_name(key)}:") for key in _keys())


def is_current(text: str) -> bool:
    """Whether the first key sealed it, not one that is to go."""
    return text.startswith(f"{MARK}:{_name(_keys()[0])}:")


def _keys() -> list[bytes]:
    if not settings.FACTOR_KEY:
        raise Refused(NO_KEY)
    return [_derived(value) for value in (settings.FACTOR_KEY, *settings.FACTOR_KEY_FALLBACKS)]


@lru_cache(maxsize=8)
def _derived(value: str) -> bytes:
    """One key for one use: HKDF-SHA256 of one block (RFC 5869) over a random value."""
    pseudorandom = hmac.digest(b"sampelit_ops", value.encode(), "sha256")
    return hmac.digest(pseudorandom, b"operations.second_factors\x01", "sha256")


def _name(key: bytes) -> str:
    return hashlib.sha256(b"name\0" + key).hexdigest()[:6]


def sealed_totp_key(raw: bytes, user_id: int) -> str:
    return sealed(raw, f"totp {user_id}")


def sealed_passkey(cose_key: bytes, user_id: int, credential_id: str) -> str:
    return sealed(cose_key, f"passkey {user_id} {credential_id}")


def hashed(code: str, salt: str) -> str:
    """scrypt with 16 MiB: slow enough for the codes of 59 bits that an older portal made, too."""
    return hashlib.scrypt(code.encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=1, dklen=32).hex()
