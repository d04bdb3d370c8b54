"""A store in an S3 bucket or a compatible one: path style, signature v4, one conditional PUT with a SHA-256 checksum.

In: keys and bytes. Out: bytes, facts, StoreError. A lost answer is looked up (HEAD and checksum), not repeated.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from providers.errors import ProviderError
from providers.storage import Address, AlreadyStored, Missing, Stored, StoreError, safe_key

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ADVICE = {
    "NoSuchBucket": "The bucket does not exist: correct the store URL or create it.",
    "InvalidAccessKeyId": "The access key is unknown there: correct AWS_ACCESS_KEY_ID.",
    "SignatureDoesNotMatch": "The secret key is wrong: correct AWS_SECRET_ACCESS_KEY.",
    "ExpiredToken": "The credentials have expired: issue new ones.",
    "RequestTimeTooSkewed": "This machine's clock is wrong: correct it.",
    "AccessDenied": "The credentials may not do this: give them the writer policy of docs/backups.md.",
    "403": "The credentials may not do this, or are wrong: check AWS_* and the bucket's policy.",
    "404": "The bucket or the object does not exist.",
    "NotImplemented": "This store has no conditional writes, which the commit protocol needs: choose another.",
}


def client(address: Address, key_id: str | None = None, secret: str | None = None) -> S3Client:
    """A boto3 client with checksums only where asked for, which R2, B2 and MinIO accept; keys from AWS_* by default."""
    import boto3
    from botocore.config import Config

    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        connect_timeout=10,
        read_timeout=60,
        retries={"mode": "standard", "max_attempts": 4},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    region = address.region or "us-east-1"
    return boto3.session.Session().client(
        "s3",
        endpoint_url=address.endpoint or None,
        region_name=region,
        config=config,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
    )


class S3Store:
    """Objects of one bucket under one prefix."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.url = address.url
        self.name = f"s3://{address.bucket}/{address.prefix}"
        self._client: S3Client | None = None

    def __str__(self) -> str:
        return self.name

    @property
    def client(self) -> S3Client:
        self._client = self._client or client(self.address)
        return self._client

    def _name(self, key: str) -> str:
        return f"{self.address.prefix}/{key}" if self.address.prefix else key

    def put_once(self, key: str, data: bytes | bytearray) -> Stored:
        """Write a new object. Raises AlreadyStored when the key exists with other content, StoreError otherwise."""
        digest = hashlib.sha256(data)
        try:
            self.client.put_object(
                Bucket=self.address.bucket,
                Key=self._name(safe_key(key)),
                Body=data,  # type: ignore[arg-type]  # botocore takes a bytearray, which spares a copy
                IfNoneMatch="*",
                ChecksumSHA256=base64.b64encode(digest.digest()).decode(),
                Metadata={"sha256": digest.hexdigest()},
            )
        except Exception as error:
            return self._look_up(key, digest.hexdigest(), error)
        found = self.head(key)
        if found is None or found.size_bytes != len(data):
            raise StoreError(
                f"{self.name} accepted {key} but does not show it whole. The run is not complete; run again."
            )
        return Stored(key, len(data), digest.hexdigest(), found.modified_at)

    def _look_up(self, key: str, digest: str, error: Exception) -> Stored:
        failure = self._explain(error, f"store {key}")
        try:
            found = self.head(key)
        except ProviderError:
            raise failure from None
        if found is None:
            raise failure from None
        actual = found.sha256 or hashlib.sha256(self.get(key)).hexdigest()
        if actual != digest:
            raise AlreadyStored(f"{key} already lies in {self.name} with other content. It was not overwritten.")
        return found

    def get(self, key: str) -> bytes:
        try:
            answer = self.client.get_object(Bucket=self.address.bucket, Key=self._name(safe_key(key)))
            return answer["Body"].read()
        except Exception as error:
            raise self._explain(error, f"read {key}") from None

    def head(self, key: str) -> Stored | None:
        try:
            answer = self.client.head_object(
                Bucket=self.address.bucket, Key=self._name(safe_key(key)), ChecksumMode="ENABLED"
            )
        except Exception as error:
            if _code(error) in ("404", "NoSuchKey", "NotFound"):
                return None
            raise self._explain(error, f"look at {key}") from None
        checksum = base64.b64decode(answer.get("ChecksumSHA256", "")).hex()
        return Stored(key, answer["ContentLength"], checksum, answer["LastModified"])

    def list(self, prefix: str = "") -> Iterator[Stored]:
        """Every object under a prefix; digests are left empty."""
        cut = len(self._name("x")) - 1
        pages = self.client.get_paginator("list_objects_v2")
        try:
            for page in pages.paginate(
                Bucket=self.address.bucket, Prefix=self._name(prefix) if prefix else self._name("")
            ):
                for item in page.get("Contents", []):
                    yield Stored(item["Key"][cut:], item["Size"], "", item["LastModified"])
        except StoreError:
            raise
        except Exception as error:
            raise self._explain(error, "list its objects") from None

    def delete(self, key: str) -> None:
        try:
            self.client.delete_object(Bucket=self.address.bucket, Key=self._name(safe_key(key)))
        except Exception as error:
            raise self._explain(error, f"delete {key}") from None

    def _explain(self, error: Exception, doing: str) -> StoreError:
        code = _code(error)
        if code == "NoSuchKey":
            return Missing(f"{doing.split(' ', 1)[-1]} is missing from {self.name}. Nothing was changed.")
        advice = _ADVICE.get(code, "Check that the store is up and reachable, then run again.")
        said = code or type(error).__name__
        text = f"The store {self.name} refused to {doing} ({said}). Nothing was overwritten. {advice}"
        return StoreError(text, retryable=code not in _ADVICE)


def _code(error: Exception) -> str:
    response: dict[str, Any] = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))
