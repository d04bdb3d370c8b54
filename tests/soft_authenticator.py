"""An authenticator in software (ES256, attestation `none`) that can be told to lie, in place of a browser.

In: the options that the portal gave. Out: the JSON that a browser would send. Each argument is one way to be wrong.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, encode_cbor

PRESENT, VERIFIED, ATTESTED = 1, 4, 64


@dataclass
class SoftAuthenticator:
    origin: str = "http://localhost:8000"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    count: int = 0

    def register(self, options: str, *, flags: int = PRESENT | VERIFIED, **lies: str) -> str:
        """The answer to `navigator.credentials.create`."""
        asked = json.loads(options)
        point = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential + encode_cbor(cose)
        rp_id = lies.get("rp_id", asked["rp"]["id"])
        data = self._data(rp_id, flags | ATTESTED) + attested
        client = self._client("webauthn.create", lies.get("challenge", asked["challenge"]), lies)
        made = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(client, {"attestationObject": bytes_to_base64url(made), "transports": ["internal"]})

    def sign(self, options: str, *, flags: int = PRESENT | VERIFIED, spoil: str = "", **lies: str) -> str:
        """The answer to `navigator.credentials.get`; `spoil` names a part that is altered after it was signed."""
        asked = json.loads(options)
        self.count += 1
        data = self._data(lies.get("rp_id", asked["rpId"]), flags)
        kind = lies.get("type", "webauthn.get")
        client = self._client(kind, lies.get("challenge", asked["challenge"]), lies)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        parts = {"authenticatorData": data, "signature": signature}
        if spoil:
            altered = bytearray(parts[spoil])
            altered[-1] ^= 1
            parts[spoil] = bytes(altered)
        return self._answer(client, {name: bytes_to_base64url(part) for name, part in parts.items()})

    def _data(self, rp_id: str, flags: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str, lies: dict[str, str]) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": lies.get("origin", self.origin), "crossOrigin": False}
        return json.dumps(said).encode()

    def _answer(self, client: bytes, response: dict[str, Any]) -> str:
        name = bytes_to_base64url(self.credential)
        response = {"clientDataJSON": bytes_to_base64url(client), **response}
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})


def challenge_of(answer: str) -> str:
    """The challenge that an answer names."""
    client = json.loads(answer)["response"]["clientDataJSON"]
    return str(json.loads(base64url_to_bytes(client))["challenge"])
