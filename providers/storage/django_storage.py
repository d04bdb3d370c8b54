"""STORAGES["backups"] for an S3 bucket: django-storages over the very client that the store uses.

In: a store URL. Out: a Django storage that never overwrites; credentials and settings exist once, in s3_client.
"""

from __future__ import annotations

from typing import Any

from storages.backends.s3 import S3Storage

from providers.storage.base import parse
from providers.storage.s3_client import resource


class BackupS3Storage(S3Storage):
    """Reads and lists what the store wrote; `connection.meta.client` is the store's own client."""

    def __init__(self, url: str) -> None:
        self.address = parse(url)
        super().__init__(
            bucket_name=self.address.bucket, location=self.address.prefix, file_overwrite=False, default_acl=None
        )

    @property
    def connection(self) -> Any:
        return resource(self.address)
