"""An OpenID provider (Discovery 1.0, Core 1.0): where it signs people in, its keys, and a code turned into an ID token.

In: the issuer and this portal's credentials there. Out: what it answered, or ProviderError. https to public addresses
only, no redirects, five seconds and 64 KB an answer; `loopback` lets a demo or a test ask its own machine.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from providers import bounded_json
from providers.errors import ProviderError
from providers.http.health_probe import fetch


@dataclass(frozen=True)
class Provider:
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    loopback: bool


def discover(issuer: str, *, loopback: bool) -> Provider:
    """What the issuer says of itself. Raises ProviderError where it is away, or says another issuer."""
    found = _asked(issuer.rstrip("/") + "/.well-known/openid-configuration", loopback)
    if found.get("issuer") != issuer:
        raise ProviderError("The sign-in provider calls itself by another name than OIDC_ISSUER. Nobody was signed in.")
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    authorization, token, jwks = (str(found.get(name, "")) for name in names)
    provider = Provider(issuer, authorization, token, jwks, loopback)
    _callable(provider.authorization_endpoint, loopback)
    return provider


def keys(provider: Provider) -> dict[str, Any]:
    """Its key set, as it stands now."""
    return _asked(provider.jwks_uri, provider.loopback)


def redeem(provider: Provider, client_id: str, client_secret: str, given: Mapping[str, str]) -> str:
    """The ID token for a code (`given`: code, code_verifier, redirect_uri). A code works once, so this is sent once."""
    body = urlencode({"grant_type": "authorization_code", "client_id": client_id, **given}).encode()
    basic = base64.b64encode(f"{quote_plus(client_id)}:{quote_plus(client_secret)}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
    token = _asked(provider.token_endpoint, provider.loopback, body, headers).get("id_token")
    if not isinstance(token, str):
        raise ProviderError("The sign-in provider answered without an ID token. Nobody was signed in; begin again.")
    return token


def _asked(url: str, loopback: bool, post: bytes | None = None, headers: Mapping[str, str] | None = None) -> Any:
    host = _callable(url, loopback)
    answer = fetch(url, allow_private=_is_loopback(host), post=post, headers=headers)
    if answer.error or answer.status != 200:
        why = answer.error or f"it answered {answer.status}"
        raise ProviderError(f"The sign-in provider did not answer as it should ({why}). Nobody was signed in.")
    try:
        found = bounded_json.loads(answer.body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ProviderError("The sign-in provider's answer is too long or no JSON object. Nobody was signed in.")
    return found


def _callable(url: str, loopback: bool) -> str:
    """The host of an address that may be called. Raises ProviderError."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    local = _is_loopback(host)
    if parts.username is None and host and (loopback if local else parts.scheme == "https"):
        return host
    raise ProviderError("The sign-in provider names an address that is not https. Nobody was signed in.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
