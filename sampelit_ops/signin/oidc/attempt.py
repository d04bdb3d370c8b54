"""One sign-in under way at the provider: what was sent there, kept in the browser's session and used once.

In: the request that begins it, then the one that comes back. Out: where to go; then the claims of the ID token. What
comes back with another state, for the second time or after ten minutes is refused.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import asdict, dataclass
from hmac import compare_digest
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from operations.periodic.clock import database_time
from providers import oidc, outside
from providers.errors import Refused
from sampelit_ops.signin.oidc.id_token import Expected, claims_of

KEY = "oidc_attempt"
LIVES = 600
AGAIN = "Nobody was signed in; begin again."


@dataclass(frozen=True)
class Attempt:
    """`link`: the person who asked to have their account linked; 0 for a sign-in."""

    state: str
    nonce: str
    verifier: str
    began_at: float
    next: str
    link: int


def begin(request: HttpRequest, next_page: str, link: int = 0) -> str:
    """Remember an attempt and return the provider's address. Raises ProviderError where the provider is away."""
    with outside.waiting():
        provider = oidc.discover(settings.OIDC_ISSUER, loopback=settings.DEMO)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    request.session[KEY] = asdict(Attempt(state, nonce, verifier, database_time().timestamp(), next_page, link))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": settings.OIDC_CLIENT_ID,
        "redirect_uri": callback_address(),
        "scope": " ".join(settings.OIDC_SCOPES),
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    separator = "&" if "?" in provider.authorization_endpoint else "?"
    return f"{provider.authorization_endpoint}{separator}{urlencode(asked)}"


def complete(request: HttpRequest) -> tuple[Attempt, dict[str, Any]]:
    """The attempt, which ends here whatever comes of it, and what the provider says. Raise Refused or ProviderError."""
    begun = request.session.pop(KEY, None)
    if begun is None:
        raise Refused(f"This answer belongs to no sign-in that this browser began, or it was used before. {AGAIN}")
    attempt = Attempt(**begun)
    _check(request, attempt)
    given = {"code": request.GET.get("code", ""), "code_verifier": attempt.verifier, "redirect_uri": callback_address()}
    with outside.waiting():
        provider = oidc.discover(settings.OIDC_ISSUER, loopback=settings.DEMO)
        token = oidc.redeem(provider, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET, given)
        keys = oidc.keys(provider)
    expected = Expected(settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, attempt.nonce, database_time().timestamp())
    return attempt, claims_of(token, keys, expected)


def callback_address() -> str:
    """Of the portal's own name, never of the Host header."""
    return settings.OPS_BASE_URL.rstrip("/") + reverse("account:oidc_callback")


def _check(request: HttpRequest, attempt: Attempt) -> None:
    if not compare_digest(request.GET.get("state", "").encode(), attempt.state.encode()):
        raise Refused(f"This answer belongs to another sign-in than the one that this browser began. {AGAIN}")
    if database_time().timestamp() - attempt.began_at > LIVES:
        raise Refused(f"The sign-in took longer than ten minutes. {AGAIN}")
    if request.GET.get("iss", settings.OIDC_ISSUER) != settings.OIDC_ISSUER:  # RFC 9207
        raise Refused(f"Another provider answered than the one that was asked. {AGAIN}")
    if error := request.GET.get("error", ""):
        known = error if error.replace("_", "").isalnum() and len(error) < 50 else "an error"
        raise Refused(f"The sign-in provider says {known}. {AGAIN}")
