"""Host names that the portal answers to where nobody lists them. Pure: its public address in, names out."""

from __future__ import annotations

from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost")


def hosts_of(base_url: str, platform_name: str) -> list[str]:
    """The public address's host, the name that the platform gave, and this machine's own."""
    public = urlsplit(base_url).hostname or ""
    return list(dict.fromkeys(name for name in (public, platform_name, *LOOPBACK) if name))
