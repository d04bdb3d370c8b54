"""What is signed, and how: canonical JSON (sorted keys, no spaces, UTF-8, no floats), its digest, Ed25519.

In: a value; a key as PEM, base64 or hex. Out: bytes; Signer, Verifier, key ids.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

RAW = serialization.Encoding.Raw
PUBLIC_RAW = serialization.PublicFormat.Raw


def canonical(value: Any) -> bytes:
    """Raises ValueError for floats: their text differs between languages."""
    _refuse_floats(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _refuse_floats(value: Any) -> None:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += item.values()
        elif isinstance(item, (list, tuple)):
            waiting += item
        elif isinstance(item, float):
            raise ValueError("canonical JSON holds no floats")


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def key_id(public: Ed25519PublicKey) -> str:
    """The first 16 hex digits of the SHA-256 of the raw public key: names a key without showing it."""
    return hashlib.sha256(public.public_bytes(RAW, PUBLIC_RAW)).hexdigest()[:16]


@dataclass(frozen=True)
class Verifier:
    """One accepted public key, and others that are accepted beside it (retired ones, the workers')."""

    public: Ed25519PublicKey
    others: tuple[Verifier, ...] = ()

    @property
    def key_id(self) -> str:
        return key_id(self.public)

    @property
    def pem(self) -> str:
        spki = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.public.public_bytes(serialization.Encoding.PEM, spki).decode()

    def holds(self, data: bytes, signature: str) -> bool:
        try:
            self.public.verify(base64.b64decode(signature, validate=True), data)
        except (InvalidSignature, binascii.Error, ValueError):
            return any(other.holds(data, signature) for other in self.others)
        return True


@dataclass(frozen=True)
class Signer:
    private: Ed25519PrivateKey

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.private.public_key())

    @property
    def key_id(self) -> str:
        return self.verifier.key_id

    def sign(self, data: bytes) -> str:
        return base64.b64encode(self.private.sign(data)).decode()


def generate() -> tuple[str, Verifier]:
    """A new signing key as one base64 line (for BACKUP_SIGNING_KEY), and its public half."""
    private = Ed25519PrivateKey.generate()
    return base64.b64encode(private.private_bytes_raw()).decode(), Verifier(private.public_key())


def load_signer(text: str) -> Signer:
    """Raises ValueError when the text is not an Ed25519 private key."""
    if text.lstrip().startswith("-----BEGIN"):
        private = serialization.load_pem_private_key(text.replace("\\n", "\n").encode(), None)
        if not isinstance(private, Ed25519PrivateKey):
            raise ValueError("the key is not an Ed25519 private key")
        return Signer(private)
    return Signer(Ed25519PrivateKey.from_private_bytes(_raw(text)))


def load_verifier(text: str) -> Verifier:
    """Raises ValueError when the text is not an Ed25519 public key."""
    if text.lstrip().startswith("-----BEGIN"):
        public = serialization.load_pem_public_key(text.encode())
        if not isinstance(public, Ed25519PublicKey):
            raise ValueError("the key is not an Ed25519 public key")
        return Verifier(public)
    return Verifier(Ed25519PublicKey.from_public_bytes(_raw(text)))


def _raw(text: str) -> bytes:
    text = text.strip()
    try:
        data = bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise ValueError("the key is neither PEM nor 32 bytes as base64 or hex") from None
    if len(data) != 32:
        raise ValueError("the key is neither PEM nor 32 bytes as base64 or hex")
    return data
