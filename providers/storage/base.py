"""What a backup store is: objects written once, whole and checked; and the URL that names one (docs/design.md 11).

In: file:///dir or s3://bucket/prefix?endpoint=URL&region=R. Out: its parsed Address, the Store protocol, its errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from providers.errors import ProviderError, Refused

LOOK_SECONDS = 60.0  # from the name to the last byte, with every attempt: facts, a page of a list, a deletion
TRANSFER_SECONDS = 300.0  # the same of one object, which is 32 MiB at most: 110 KB/s


class StoreError(ProviderError):
    """The store did not do what was asked."""


class Missing(StoreError):
    """The object is not there."""


class AlreadyStored(StoreError):
    """The key is taken by other content; it was not overwritten."""


class Retained(StoreError):
    """The object is under Object Lock; it was not deleted."""


@dataclass(frozen=True)
class Stored:
    """One object as the store has it; `sha256` is empty in listings. The lock is what the store itself says."""

    key: str
    size_bytes: int
    sha256: str
    modified_at: datetime
    retained_until: datetime | None = None
    lock_mode: str = ""


class Store(Protocol):
    url: str

    def put_once(self, key: str, data: bytes | bytearray) -> Stored: ...
    def get(self, key: str) -> bytes: ...
    def head(self, key: str) -> Stored | None: ...
    def list(self, prefix: str = "") -> Iterator[Stored]: ...
    def folders(self, prefix: str) -> Iterator[str]: ...
    def delete(self, key: str) -> None: ...
    def retention_of(self, key: str) -> datetime | None: ...


@dataclass(frozen=True)
class Address:
    """A parsed store URL. Credentials are never part of it: they come from AWS_*."""

    scheme: str
    bucket: str
    prefix: str
    endpoint: str = ""
    region: str = ""
    url: str = ""


def parse(url: str) -> Address:
    """Read a store URL. Raises Refused with the accepted forms when it is not one, or when it carries a secret."""
    parts = urlsplit(url)
    if parts.username or parts.password:
        raise Refused(
            "The store URL carries credentials. Nothing was read or written. "
            "Put them into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path.startswith("/"):
        return Address("file", "", unquote(parts.path), url=url)
    if parts.scheme == "s3" and parts.netloc:
        query = parse_qs(parts.query)
        unknown = sorted(set(query) - {"endpoint", "region"})
        if not unknown:
            endpoint, region = (query.get(name, [""])[0] for name in ("endpoint", "region"))
            return Address("s3", parts.netloc, unquote(parts.path).strip("/"), endpoint, region, url)
    raise Refused(
        "The store URL is neither file:///dir nor s3://bucket/prefix?endpoint=URL&region=R. "
        "Nothing was read or written."
    )


def safe_key(key: str) -> str:
    """A key that stays inside its store. Raises Refused for empty, absolute and climbing keys."""
    if not key or key.startswith(("/", ".")) or any(part in ("", ".", "..") for part in key.split("/")):
        raise Refused(f"{key!r} is not a name that a store accepts.")
    return key
