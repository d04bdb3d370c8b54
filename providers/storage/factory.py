"""The one door to backup stores: the store behind a URL, and the one that may delete.

In: a store URL; for the reaper a key pair of its own too. Out: a Store, or Refused where a bucket has no reaper. A
local directory has no credentials: whoever may write there may delete there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from providers.errors import Refused
from providers.storage.base import Address, Store, parse

NOT_HERE = (
    "Nothing is deleted until BACKUP_REAPER_AWS_ACCESS_KEY_ID and BACKUP_REAPER_AWS_SECRET_ACCESS_KEY are set in the "
    "prove worker: a key that may delete, and that no other process holds."
)


def open_reaper(url: str, key_id: str, secret: str) -> Store:
    """Raises Refused for a bucket without a key of its own."""
    address = parse(url)
    if address.scheme == "file":
        return open_store(url)
    if not (key_id and secret):
        raise Refused(NOT_HERE)
    from providers.storage.s3 import S3Store
    from providers.storage.s3_client import client

    store = S3Store(address)
    store._client = client(address, key_id, secret)
    return store


def open_store(url: str) -> Store:
    """The store behind a URL; nothing is contacted yet."""
    address = parse(url)
    if address.scheme == "file":
        from providers.storage.local import LocalStore

        return LocalStore(Path(address.prefix))
    from providers.storage.s3 import S3Store

    return S3Store(address)


def preload(url: str) -> None:
    """Before forks: what the store's client loads, so that they share it. Nothing is contacted, a bad URL is left."""
    try:
        address = parse(url)
    except Refused:
        return
    if address.scheme != "file":
        from providers.storage.s3_client import client

        client(address)


def django_storage(url: str) -> dict[str, Any]:
    """The entry for STORAGES["backups"], from the same URL and credentials; a bad URL fails at its first use."""
    try:
        address = parse(url)
    except Refused:
        address = Address("file", "", "/nonexistent/BACKUP_STORE-is-not-a-store-url")
    if address.scheme == "file":
        options: dict[str, Any] = {"location": address.prefix, "file_permissions_mode": 0o600}
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    return {"BACKEND": "providers.storage.django_storage.BackupS3Storage", "OPTIONS": {"url": url}}
