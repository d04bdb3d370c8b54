"""POST to an address that a person configured, without becoming a door into our own network (SSRF).

In: an https URL, a body, headers. Out: the HTTP status, or Refused / ProviderError. The name is resolved once, every
address of it must be public, and the connection goes to the address that was checked, with the original name for TLS.
No redirects, no proxies, 5 s for the name and all the rest together, and the answer's body is never shown to anybody.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

import requests

from providers.errors import ProviderError, Refused
from providers.http.deadline import resolve, within
from providers.http.transport import DeadlineAdapter, exchange, new_session

PORTS = frozenset({443, 8443})
SECONDS = 5.0
_MOST_BYTES = 65_536
# The special-purpose registries of IANA, written down: what Python's is_global says differs from release to release.
_SPECIAL_IPV4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
            *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16"),
            *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        ),
    )
)
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
# Inside of it: protocol assignments (with Teredo), documentation, 6to4 and AS112's sinks.
_SPECIAL_IPV6 = tuple(
    map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"))
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Answered(ProviderError):
    """The other side answered, but not with success."""

    def __init__(self, host: str, status: int) -> None:
        super().__init__(f"{host} answered {status}.", retryable=status in (408, 425, 429) or status >= 500)
        self.status = status


@dataclass(frozen=True)
class Target:
    """A checked address: what to connect to, and under which name."""

    url: SplitResult
    host: str
    port: int
    address: str


def check(url: str) -> Target:
    """Resolve and judge; raise Refused for anything but https to public addresses only."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 443
    except ValueError as error:
        raise Refused("The address cannot be read. Nothing was sent; give a plain https:// address.") from error
    if parts.scheme != "https" or not host or parts.username is not None or parts.password is not None:
        raise Refused("Only https:// addresses without a user name are called. Nothing was sent.")
    if port not in PORTS:
        raise Refused(f"Port {port} is not called (only {', '.join(map(str, sorted(PORTS)))}). Nothing was sent.")
    addresses = _resolve(host, port)
    for address in addresses:
        if not is_public(address):
            raise Refused(f"{host} leads to {address}, which is not a public address. Nothing was sent.")
    return Target(parts, host, port, addresses[0])


def is_public(address: str) -> bool:
    """Whether a packet to this address goes to a host of the open internet, and surely to no other.

    An IPv6 address that stands for an IPv4 one (mapped, NAT64) is judged by that one. A tunnel's (6to4, Teredo), one of
    a local NAT64 or an IPv4-compatible one is refused: who delivers it, or where, cannot be known. So is everything
    that is not the full form of an address: zones, octal and short forms are read differently by different readers.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return _is_public_ipv4(ip)
    if ip.scope_id is not None:
        return False
    if ip.ipv4_mapped is not None:
        return _is_public_ipv4(ip.ipv4_mapped)
    if ip in _NAT64:
        return _is_public_ipv4(ipaddress.IPv4Address(ip.packed[-4:]))
    return ip in _GLOBAL_UNICAST and not any(ip in network for network in _SPECIAL_IPV6)


def _is_public_ipv4(ip: ipaddress.IPv4Address) -> bool:
    return not any(ip in network for network in _SPECIAL_IPV4)


def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """Send once; returns the status of a 2xx. Raises Refused, or ProviderError (retryable when waiting may help)."""
    try:
        with within(SECONDS):
            return _send(check(url), body, headers)
    except (requests.RequestException, OSError) as error:
        host = urlsplit(url).hostname
        raise ProviderError(f"{host} did not answer ({type(error).__name__}).", retryable=True) from None


def _send(target: Target, body: bytes, headers: dict[str, str]) -> int:
    address = f"[{target.address}]" if ":" in target.address else target.address
    pinned = urlunsplit(target.url._replace(netloc=f"{address}:{target.port}", fragment=""))
    with new_session() as session:
        session.mount("https://", _Pinned(target.host))
        host = target.host if target.port == 443 else f"{target.host}:{target.port}"
        sent = {**headers, "Host": host}
        answer, _ = exchange(session, "POST", pinned, seconds=SECONDS, most_bytes=_MOST_BYTES, data=body, headers=sent)
    if 200 <= answer.status_code < 300:
        return answer.status_code
    raise Answered(target.host, answer.status_code)


class _Pinned(DeadlineAdapter):
    """TLS for the original name on a connection to an address."""

    def __init__(self, host: str) -> None:
        self._host = host
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, server_hostname=self._host, assert_hostname=self._host)


def _resolve(host: str, port: int) -> list[str]:
    try:
        return resolve(host, port)
    except (OSError, UnicodeError) as error:
        raise ProviderError(f"{host} has no address just now.", retryable=True) from error
