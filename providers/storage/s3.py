"""A store in an S3 bucket or a compatible one: path style, signature v4, one conditional PUT with a SHA-256 checksum.

In: keys and bytes. Out: bytes, facts, StoreError. A lost answer is looked up (HEAD and checksum), not repeated.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from providers.errors import ProviderError
from providers.http.deadline import within
from providers.storage import base
from providers.storage.base import Address, AlreadyStored, Missing, Retained, Stored, StoreError, safe_key
from providers.storage.s3_client import ADVICE, NO_LOCK, client, code_of, object_lock

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Store:
    """Objects of one bucket under one prefix."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.url = address.url
        self.name = f"s3://{address.bucket}/{address.prefix}"
        self._client: S3Client | None = None
        self._locked: dict[str, Any] | None = None

    def __str__(self) -> str:
        return self.name

    @property
    def client(self) -> S3Client:
        self._client = self._client or client(self.address)
        return self._client

    def name_of(self, key: str) -> str:
        return f"{self.address.prefix}/{key}" if self.address.prefix else key

    def put_once(self, key: str, data: bytes | bytearray) -> Stored:
        """Write a new object. Raises AlreadyStored when the key exists with other content, StoreError otherwise."""
        digest, lock = hashlib.sha256(data), self.lock_fields()
        try:
            self.client.put_object(
                Bucket=self.address.bucket,
                Key=self.name_of(safe_key(key)),
                Body=data,  # type: ignore[arg-type]  # botocore takes a bytearray, which spares a copy
                IfNoneMatch="*",
                ChecksumSHA256=base64.b64encode(digest.digest()).decode(),
                Metadata={"sha256": digest.hexdigest()},
                **lock,
            )
        except Exception as error:
            if lock and code_of(error) == "InvalidRequest" and self._locked_unasked():
                return self.put_once(key, data)
            return self._look_up(key, digest.hexdigest(), error)
        existing = self.head(key)
        if existing is None or existing.size_bytes != len(data):
            raise StoreError(
                f"{self.name} accepted {key} but does not show it whole. The run is not complete; run again."
            )
        return Stored(
            key, len(data), digest.hexdigest(), existing.modified_at, existing.retained_until, existing.lock_mode
        )

    def lock_fields(self) -> dict[str, Any]:
        """Until when a new object may not be deleted, where that is wanted and the bucket offers it."""
        days, mode = object_lock()
        if not days or not self.offers_lock():
            return {}
        return {"ObjectLockMode": mode, "ObjectLockRetainUntilDate": datetime.now(UTC) + timedelta(days=days)}

    def offers_lock(self) -> bool:
        """Whether the bucket was made with Object Lock; asked once. Who may not ask is taken to have it."""
        if self._locked is None:
            self._locked = self._lock_configuration()
        return self._locked.get("ObjectLockEnabled") == "Enabled"

    def _locked_unasked(self) -> bool:
        """Whether the lock was only a guess, which is now given up: the bucket refused it."""
        guessed = bool(self._locked and self._locked.pop("unasked", ""))
        self._locked = {} if guessed else self._locked
        return guessed

    def _lock_configuration(self) -> dict[str, Any]:
        try:
            answer = self.client.get_object_lock_configuration(Bucket=self.address.bucket)
        except Exception as error:
            return {} if code_of(error) in NO_LOCK else {"ObjectLockEnabled": "Enabled", "unasked": code_of(error)}
        return dict(answer.get("ObjectLockConfiguration", {}))

    def retention_of(self, key: str) -> datetime | None:
        """Until when the store refuses to delete the object, by its own word (GetObjectRetention); None: not locked."""
        try:
            answer = self.client.get_object_retention(Bucket=self.address.bucket, Key=self.name_of(safe_key(key)))
        except Exception as error:
            if code_of(error) in ("NoSuchObjectLockConfiguration", "InvalidRequest", *NO_LOCK[:2]):
                return None
            raise self._explain(error, f"tell the retention of {key}") from None
        return answer["Retention"].get("RetainUntilDate")

    def _look_up(self, key: str, digest: str, error: Exception) -> Stored:
        failure = self._explain(error, f"store {key}")
        try:
            existing = self.head(key)
        except ProviderError:
            raise failure from None
        if existing is None:
            raise failure from None
        actual = existing.sha256 or hashlib.sha256(self.get(key)).hexdigest()
        if actual != digest:
            raise AlreadyStored(f"{key} already lies in {self.name} with other content. It was not overwritten.")
        return existing

    def get(self, key: str) -> bytes:
        try:
            with within(base.TRANSFER_SECONDS):
                answer = self.client.get_object(Bucket=self.address.bucket, Key=self.name_of(safe_key(key)))
                return answer["Body"].read()
        except Exception as error:
            raise self._explain(error, f"read {key}") from None

    def head(self, key: str) -> Stored | None:
        try:
            answer = self.client.head_object(
                Bucket=self.address.bucket, Key=self.name_of(safe_key(key)), ChecksumMode="ENABLED"
            )
            size, modified_at = answer["ContentLength"], answer["LastModified"]
        except Exception as error:
            if code_of(error) in ("404", "NoSuchKey", "NotFound"):
                return None
            raise self._explain(error, f"look at {key}") from None
        checksum = base64.b64decode(answer.get("ChecksumSHA256", "")).hex()
        until, mode = answer.get("ObjectLockRetainUntilDate"), answer.get("ObjectLockMode", "")
        return Stored(key, size, checksum, modified_at, until, mode)

    def list(self, prefix: str = "") -> Iterator[Stored]:
        """Every object under a prefix; digests are left empty."""
        cut = len(self.name_of("x")) - 1
        for page in self._pages(prefix):
            for item in page.get("Contents", []):
                yield Stored(item["Key"][cut:], item["Size"], "", item["LastModified"])

    def folders(self, prefix: str) -> Iterator[str]:
        """Names right below a prefix that ends with "/" and have something below them: a request for 1,000 of them."""
        for page in self._pages(prefix, Delimiter="/"):
            for item in page.get("CommonPrefixes", []):
                yield item["Prefix"].rstrip("/").rpartition("/")[2]

    def _pages(self, prefix: str, **more: Any) -> Iterator[Any]:
        pages = self.client.get_paginator("list_objects_v2")
        name = self.name_of(prefix) if prefix else self.name_of("")
        try:
            yield from pages.paginate(Bucket=self.address.bucket, Prefix=name, **more)
        except StoreError:
            raise
        except Exception as error:
            raise self._explain(error, "list its objects") from None

    def delete(self, key: str) -> None:
        """Remove an object. Raises Retained while it is locked: a versioned bucket would only hide it."""
        existing = self.head(key)
        if existing is not None and existing.retained_until and existing.retained_until > datetime.now(UTC):
            raise Retained(
                f"{key} in {self.name} is retained until {existing.retained_until:%Y-%m-%d %H:%M} UTC "
                f"({existing.lock_mode}). It was not deleted."
            )
        try:
            self.client.delete_object(Bucket=self.address.bucket, Key=self.name_of(safe_key(key)))
        except Exception as error:
            raise self._explain(error, f"delete {key}") from None

    def _explain(self, error: Exception, doing: str) -> StoreError:
        code = code_of(error)
        if code == "NoSuchKey":
            return Missing(f"{doing.split(' ', 1)[-1]} is missing from {self.name}. Nothing was changed.")
        advice = ADVICE.get(code, "Check that the store is up and reachable, then run again.")
        reason = code or type(error).__name__
        text = f"The store {self.name} refused to {doing} ({reason}). Nothing was overwritten. {advice}"
        return StoreError(text, retryable=code not in ADVICE)
