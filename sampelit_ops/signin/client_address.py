"""Whose address a request has, and what the lock-out counts by: an IPv4 address or the /64 of an IPv6 one.

In: REMOTE_ADDR and X-Forwarded-For, to which each proxy appends the address that it saw. Read from its end, addresses
of OPS_PROXY_NETWORKS are our own proxies'; the first other one is the client's, and what stands before it is only the
client's word. A connection that comes from no proxy of ours has no chain.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# Render's inner network, then the edges in front of it (https://www.cloudflare.com/ips/, seen 2026-11).
RENDER_NETWORKS = (
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "::1/128", "fc00::/7"),
    *("173.245.48.0/20", "103.21.244.0/22", "103.22.200.0/22", "103.31.4.0/22", "141.101.64.0/18", "108.162.192.0/18"),
    *("190.93.240.0/20", "188.114.96.0/20", "197.234.240.0/22", "198.41.128.0/17", "162.158.0.0/15", "104.16.0.0/13"),
    *("104.24.0.0/14", "172.64.0.0/13", "131.0.72.0/22", "2400:cb00::/32", "2606:4700::/32", "2803:f800::/32"),
    *("2405:b500::/32", "2405:8100::/32", "2a06:98c0::/29", "2c0f:f248::/32"),
)


def client_ip(request: HttpRequest) -> str:
    """The client's address as the outermost proxy of ours saw it; the connection's where there is none."""
    direct = str(request.META.get("REMOTE_ADDR", ""))
    seen = direct
    for address in _from_the_end(direct, request.META.get("HTTP_X_FORWARDED_FOR", "")):
        seen = str(address)
        if not _is_ours(address):
            break
    return seen


def client_network(request: HttpRequest) -> str:
    """The address, or the first of its /64 (AXES_CLIENT_IP_CALLABLE): one household or server owns all of those."""
    seen = _parsed(client_ip(request))
    if isinstance(seen, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((seen, 64), strict=False).network_address)
    return str(seen) if seen else ""


def _from_the_end(direct: str, forwarded: str) -> Iterator[Address]:
    """Until something that is no address: no proxy of ours wrote it."""
    for text in (direct, *reversed(forwarded.split(","))):
        address = _parsed(text.strip())
        if address is None:
            return
        yield address


def _parsed(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_ours(address: Address) -> bool:
    return any(address in network for network in _networks(tuple(settings.OPS_PROXY_NETWORKS)))


@lru_cache(maxsize=8)
def _networks(written: Sequence[str]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in written)
