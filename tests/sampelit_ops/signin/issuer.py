"""An OpenID provider that says whatever a test wants, right or wrong, on a port of its own.

The real one is `tests/oidc_provider`; this one signs with keys of its own and answers slowly, at length or not at all.
"""

from __future__ import annotations

import hmac
import json
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT, SECRET = "ops", "a client's secret"


@dataclass
class Issuer:
    """`claims`, `header` and `sign` change what the next ID token says; `answers` what an address answers."""

    url: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}))
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    sign: Any = None
    answers: dict[str, bytes] = field(default_factory=dict)
    wait: float = 0.0
    asked: dict[str, dict[str, str]] = field(default_factory=dict)
    redeemed: list[dict[str, str]] = field(default_factory=list)

    def authorize(self, location: str) -> dict[str, str]:
        """What a browser would bring back from the authorization address: a code that belongs to this question."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        code = sha256(query["state"].encode()).hexdigest()
        self.asked[code] = query
        return {"code": code, "state": query["state"]}

    def token(self, form: dict[str, str]) -> dict[str, Any]:
        """RFC 6749 and 7636: a code works once, for its verifier and its redirect address."""
        asked = self.asked.pop(form["code"], None)
        digest = sha256(form.get("code_verifier", "").encode()).digest()
        fits = asked and _unpadded(asked["code_challenge"]) == digest and asked["redirect_uri"] == form["redirect_uri"]
        if not asked or not fits:
            return {"error": "invalid_grant"}
        self.redeemed.append(form)
        now = int(time.time())
        claims: dict[str, Any] = {"iss": self.url, "sub": "subject-1", "aud": CLIENT, "nonce": asked["nonce"]}
        claims |= {"iat": now, "exp": now + 300}
        claims |= {"preferred_username": "olga", "email": "olga@example.com", "groups": ["ops"]} | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": "RS256", "kid": "one"} | self.header
        sign = self.sign or (lambda header, claims: jwt.encode(header, claims, self.key, algorithms=[header["alg"]]))
        return {"access_token": "x", "token_type": "Bearer", "id_token": sign(header, claims)}

    def answer(self, path: str, form: dict[str, str]) -> bytes:
        if path in self.answers:
            return self.answers[path]
        if path == "/.well-known/openid-configuration":
            found: dict[str, Any] = {"issuer": self.url, "authorization_endpoint": f"{self.url}/authorize"}
            found |= {"token_endpoint": f"{self.url}/token", "jwks_uri": f"{self.url}/jwks"}
        elif path == "/jwks":
            found = {"keys": [self.key.as_dict(private=False)]}
        else:
            found = self.token(form)
        return json.dumps(found).encode()


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """alg none: a token that nobody signed."""
    return ".".join([_part({**header, "alg": "none"}), _part(claims), ""])


def by_public_key(issuer: Issuer, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """HS256 with the public key as the secret, which everybody has."""
    question = f"{_part({**header, 'alg': 'HS256'})}.{_part(claims)}"
    made = hmac.digest(issuer.key.as_pem(private=False), question.encode(), "sha256")
    return f"{question}.{urlsafe_b64encode(made).rstrip(b'=').decode()}"


def by_another(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return jwt.encode(header, claims, RSAKey.generate_key(2048), algorithms=["RS256"])


def by_curve(issuer: Issuer) -> None:
    """From now on it signs with an elliptic curve."""
    key = ECKey.generate_key("P-256", {"kid": "two", "use": "sig"})
    issuer.answers["/jwks"] = json.dumps({"keys": [key.as_dict(private=False)]}).encode()
    issuer.sign = lambda header, claims: jwt.encode({"alg": "ES256", "kid": "two"}, claims, key, algorithms=["ES256"])


def _part(value: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _unpadded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@contextmanager
def running() -> Iterator[Issuer]:
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._say({name: values[0] for name, values in parse_qs(body).items()})

        def _say(self, form: dict[str, str]) -> None:
            body = issuer.answer(urlsplit(self.path).path, form)
            self.send_response(400 if b'"error"' in body else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            for at in range(0, len(body), 100) if issuer.wait else [0]:
                self.wfile.write(body[at : at + 100] if issuer.wait else body)
                if issuer.wait and stopped.wait(issuer.wait):
                    return

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    stopped = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        stopped.set()
        server.shutdown()
        server.server_close()
