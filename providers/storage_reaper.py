"""The one store that may delete backups: the same URL with the reaper's own credentials.

In: a store URL and a key pair. Out: a Store, or Refused where a bucket has no reaper. A local directory has no
credentials: whoever may write there may delete there.
"""

from __future__ import annotations

from providers.errors import Refused
from providers.storage import Store, open_store, parse

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
    from providers.s3_client import client
    from providers.storage_s3 import S3Store

    store = S3Store(address)
    store._client = client(address, key_id, secret)
    return store
