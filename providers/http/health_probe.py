"""One request to an address that a person configured, safe against SSRF: resolved once, checked, and connected to the
checked address only.

Out: status, at most 64 KB of body, latency; or a sentence about what failed. No redirects, no retries, five seconds in
all, however slowly the other side speaks.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
import zlib
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, urlsplit

from providers.http.deadline import opened, resolve, within
from providers.http.public_address import is_public

MAX_BODY_BYTES = 65_536


@dataclass(frozen=True)
class HealthResponse:
    """`error` is empty where a whole HTTP answer arrived; then `status` and `body` are set. `unread` says why `body` is
    not all of it; `cached_seconds` is the age of what a cache answered in the place of whom we asked."""

    status: int | None = None
    body: bytes = b""
    latency_ms: int | None = None
    error: str = ""
    unread: str = ""
    cached_seconds: int = 0


def fetch(
    url: str,
    *,
    allow_private: bool = False,
    timeout: float = 5.0,
    post: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> HealthResponse:
    """The answer of `url`. Never raises for what the network does; an address that may not be asked is an error too."""
    begun = time.monotonic()
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            return HealthResponse(error="the address must be http(s)://host/path without a user name")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        with within(timeout):
            answer = _asked(parts, parts.hostname, port, allow_private, post, headers or {})
        return replace(answer, latency_ms=round((time.monotonic() - begun) * 1000))
    except (OSError, ValueError, http.client.HTTPException) as error:
        took = round((time.monotonic() - begun) * 1000)
        return HealthResponse(latency_ms=took, error=f"no answer ({type(error).__name__}: {str(error)[:120]})")


def _asked(
    parts: SplitResult, host: str, port: int, allow_private: bool, post: bytes | None, headers: Mapping[str, str]
) -> HealthResponse:
    with closing(opened(checked_addresses(host, port, allow_private), port)) as plain:
        with closing(_connection(plain, parts.scheme, host, port)) as connection:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            said = {
                "User-Agent": "sampelit-ops-health",
                "Connection": "close",
                "Accept-Encoding": "identity",
                "Cache-Control": "no-cache",
                **headers,
            }
            connection.request("GET" if post is None else "POST", target, post, said)
            response = connection.getresponse()
            body, unread = _body(response)
            age = response.headers.get("Age", "").strip()  # RFC 9111 5.1: a cache adds it
            cached = int(age) if age.isdecimal() and len(age) < 10 else 0
            return HealthResponse(response.status, body, unread=unread, cached_seconds=cached)


def _body(response: http.client.HTTPResponse) -> tuple[bytes, str]:
    """At most 64 KB of the body, unpacked, and why that is not all. Raises IncompleteRead where it was cut."""
    body = response.read(MAX_BODY_BYTES + 1)
    if len(body) <= MAX_BODY_BYTES and response.length:
        raise http.client.IncompleteRead(body, response.length)
    packing = (response.headers.get("Content-Encoding") or "identity").strip().lower()
    if packing in ("gzip", "deflate"):
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
        try:
            body = unpacker.decompress(body, MAX_BODY_BYTES + 1)
        except zlib.error:
            return b"", "its body cannot be unpacked"
        if len(body) <= MAX_BODY_BYTES and (unpacker.unused_data or not unpacker.eof):
            return b"", "its packed body ends early or goes on behind its end"
    elif packing != "identity":
        return b"", f"its body is packed by {packing[:20]}"
    return body[:MAX_BODY_BYTES], "its body is longer than 64 KB" if len(body) > MAX_BODY_BYTES else ""


def checked_addresses(host: str, port: int, allow_private: bool) -> list[str]:
    """The addresses of `host`, if every one may be asked. Raises ValueError or OSError."""
    addresses = resolve(host, port)
    for address in addresses:
        if not allow_private and not is_public(address):
            raise ValueError(f"{host} points to a private address")
    return addresses


def _connection(plain: socket.socket, scheme: str, host: str, port: int) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection(host, port)
    secure = scheme == "https"
    connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host) if secure else plain
    return connection
