"""Whether an ID token says of somebody, to this portal and now, who they are (OpenID Connect Core 1.0, 3.1.3.7).

In: the token, the issuer's keys, and what this attempt expects. Out: its claims, or Refused. Only asymmetric
signatures of the issuer's own keys count: a symmetric one could be made with a public key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from providers.errors import Refused

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
LEEWAY = 60  # seconds that clocks may differ
OLDEST = 600
_MAKERS: dict[str, type[RSAKey] | type[ECKey] | type[OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}


@dataclass(frozen=True)
class Expected:
    issuer: str
    client_id: str
    nonce: str
    now: float


def claims_of(token: str, keys: Mapping[str, Any], expected: Expected) -> dict[str, Any]:
    """What it says. Raises Refused; the reason names the claim, never its value."""
    claims = _signed(token, keys)
    for wrong in _wrong(claims, expected):
        raise Refused(f"The sign-in provider's answer is not for this sign-in: {wrong}. Nobody was signed in.")
    return claims


def _signed(token: str, keys: Mapping[str, Any]) -> dict[str, Any]:
    try:
        header = jws.extract_compact(token.encode()).headers()
        registry = jws.JWSRegistry(algorithms=list(ALGORITHMS))
        decoded = jwt.decode(token, _key(header, keys), algorithms=list(ALGORITHMS), registry=registry)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise Refused(
            f"The sign-in provider's answer is not signed as it should be ({type(error).__name__}). "
            "Nobody was signed in."
        ) from None
    return dict(decoded.claims)


def _key(header: Mapping[str, Any], keys: Mapping[str, Any]) -> RSAKey | ECKey | OKPKey:
    """The one key that the header names; a header without a name means the only key there is."""
    listed = keys["keys"] if isinstance(keys.get("keys"), list) else []
    known = [key for key in listed if isinstance(key, dict) and key.get("kty") in _MAKERS]
    usable = [key for key in known if key.get("use", "sig") == "sig"]
    named = [key for key in usable if key.get("kid") == header.get("kid")] if "kid" in header else usable
    if len(named) != 1:
        raise KeyError("no key, or more than one")
    return _MAKERS[named[0]["kty"]].import_key(named[0])


def _wrong(claims: Mapping[str, Any], expected: Expected) -> list[str]:
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
    subject: Any = claims.get("sub")
    issued: Any = claims.get("iat")
    ends: Any = claims.get("exp")
    faults = {
        "iss": claims.get("iss") != expected.issuer,
        "aud": expected.client_id not in audiences,
        "azp": claims.get("azp", expected.client_id if len(audiences) == 1 else None) != expected.client_id,
        "exp": not _number(ends) or ends < expected.now - LEEWAY,
        "iat": not _number(issued) or not expected.now - OLDEST <= issued <= expected.now + LEEWAY,
        "nbf": "nbf" in claims and (not _number(claims["nbf"]) or claims["nbf"] > expected.now + LEEWAY),
        "nonce": not compare_digest(str(claims.get("nonce", "")).encode(), expected.nonce.encode()),
        "sub": not isinstance(subject, str) or not 0 < len(subject) <= 255,
    }
    return [claim for claim, fault in faults.items() if fault]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
