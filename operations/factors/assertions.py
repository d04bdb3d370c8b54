"""What a passkey signed, checked by whoever needs to: at once by the page, and later by who judges a vote.

In: the browser's answer, or what was kept of it, and the public key. Out: whether it holds; the protocol is
`webauthn`'s. Origin and RP ID come from this process's own settings, and the authenticator must have verified its user.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from django.conf import settings
from webauthn import verify_authentication_response
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException

from operations.models.step_up import challenge_of
from providers.errors import Refused

WRONG = "The passkey did not fit what was asked. Nothing was done; reload the page and try again."
PARTS = {"authenticatorData": "authenticator_data", "clientDataJSON": "client_data", "signature": "signature"}
Answer = TypeVar("Answer")


def checked(check: Callable[[], Answer]) -> Answer:
    """Raises Refused for whatever the library says against it."""
    try:
        return check()
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise Refused(WRONG) from error


def check(given: dict[str, object], challenge: bytes, cose_key: bytes) -> VerifiedAuthentication:
    """The answer, if this key signed this challenge at our origin. Raises Refused."""
    return checked(
        lambda: verify_authentication_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=settings.PASSKEY_RP_ID,
            expected_origin=settings.PASSKEY_ORIGIN,
            credential_public_key=cose_key,
            credential_current_sign_count=0,  # compared by the page, where a copy can be told from a fault
            require_user_verification=True,
        )
    )


def kept(given: dict[str, object], nonce: str) -> dict[str, str]:
    """What the ledger keeps of an answer that was checked; hex, in which nothing looks like a credential."""
    response = given["response"]
    assert isinstance(response, dict)  # noqa: S101 - it was checked
    parts = {name: base64url_to_bytes(response[part]).hex() for part, name in PARTS.items()}
    return {"nonce": nonce, "credential": base64url_to_bytes(str(given["id"])).hex(), **parts}


def holds(signed: Mapping[str, str], purpose: str, public_key: str) -> bool:
    """Whether what was kept is this key's signature for this purpose."""
    try:
        name = bytes_to_base64url(bytes.fromhex(signed["credential"]))
        response = {part: bytes_to_base64url(bytes.fromhex(signed[kept])) for part, kept in PARTS.items()}
        given: dict[str, object] = {"id": name, "rawId": name, "type": "public-key", "response": response}
        check(given, challenge_of(signed["nonce"], purpose), bytes.fromhex(public_key))
    except (Refused, ValueError, KeyError, TypeError):
        return False
    return True
