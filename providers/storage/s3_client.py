"""The one boto3 client of each bucket, for the store and for STORAGES["backups"]; what S3's error codes mean.

In: an address; credentials from AWS_*, Object Lock from BACKUP_OBJECT_LOCK_*. Out: a client shared within the process.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from providers.errors import Refused
from providers.storage.base import Address

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ADVICE = {
    "NoSuchBucket": "The bucket does not exist: correct the store URL or create it.",
    "InvalidAccessKeyId": "The access key is unknown there: correct AWS_ACCESS_KEY_ID.",
    "SignatureDoesNotMatch": "The secret key is wrong: correct AWS_SECRET_ACCESS_KEY.",
    "ExpiredToken": "The credentials have expired: issue new ones.",
    "RequestTimeTooSkewed": "This machine's clock is wrong: correct it.",
    "AccessDenied": "The credentials may not do this, or the bucket is not there: check the store URL, "
    "then give them the policy that `sampelit-ops store_policies` prints.",
    "InvalidRequest": "Look at the bucket's settings with `sampelit-ops probe_store`.",
    "BadDigest": "The bytes changed on the way: run again.",
    "403": "The credentials may not do this, or are wrong: check AWS_* and the bucket's policy.",
    "NoCredentialsError": "There are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    "PartialCredentialsError": "Half of the credentials is missing: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    "404": "The bucket or the object does not exist.",
    "NotImplemented": "This store has no conditional writes, which the commit protocol needs: choose another.",
}
NO_LOCK = ("ObjectLockConfigurationNotFoundError", "NotImplemented", "NoSuchObjectLockConfiguration", "404")
LOCK_MODES = ("GOVERNANCE", "COMPLIANCE")
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")


def object_lock() -> tuple[int, str]:
    """Days and mode that new objects are locked for (BACKUP_OBJECT_LOCK_DAYS, _MODE); 0: what the bucket does."""
    days = os.environ.get("BACKUP_OBJECT_LOCK_DAYS", "").strip() or "0"
    mode = os.environ.get("BACKUP_OBJECT_LOCK_MODE", "").strip().upper() or "GOVERNANCE"
    if not days.isdigit() or mode not in LOCK_MODES:
        raise Refused(
            "BACKUP_OBJECT_LOCK_DAYS is a number of days and BACKUP_OBJECT_LOCK_MODE GOVERNANCE or COMPLIANCE. "
            "Nothing was stored."
        )
    return int(days), mode


def resource(address: Address) -> Any:
    """One boto3 resource per bucket, credentials and process; its `meta.client` is the one client of all."""
    held = tuple(os.environ.get(name, "") for name in CREDENTIALS)
    return _resource(address.endpoint, address.region, held, os.getpid())


def client(address: Address, key_id: str | None = None, secret: str | None = None) -> S3Client:
    """The shared client with the keys of AWS_*, or one of its own for other keys (the reaper's)."""
    held = _resource(address.endpoint, address.region, (key_id, secret or ""), os.getpid()) if key_id else None
    shared: S3Client = (held or resource(address)).meta.client
    return shared


@lru_cache(maxsize=8)
def _resource(endpoint: str, region: str, held: tuple[str, ...], process: int) -> Any:
    """Checksums only where asked for, which R2, B2 and MinIO accept; path style, signature v4.

    A body is bound by its signed checksum header, on plain HTTP too, and is not hashed a second time for the signature.
    """
    import boto3
    import botocore.session
    from botocore.config import Config

    from providers.storage.s3_deadline import bound

    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path", "payload_signing_enabled": False},
        connect_timeout=10,
        read_timeout=60,
        retries={"mode": "standard", "max_attempts": 4},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    key_id, secret = held if len(held) == 2 else (None, None)
    core = botocore.session.get_session()
    core.register_component("data_loader", _descriptions())
    session = boto3.session.Session(key_id, secret, botocore_session=core)
    made = session.resource("s3", endpoint_url=endpoint or None, region_name=region or "us-east-1", config=config)
    bound(made.meta.client)
    return made


@lru_cache(maxsize=1)
def _descriptions() -> Any:
    """What boto3 knows of S3, parsed once: processes that are forked later share its pages."""
    from botocore.loaders import create_loader

    return create_loader()


def code_of(error: Exception) -> str:
    """The error code that the store answered, or what kept us from asking; empty when it did not answer."""
    response: dict[str, Any] = getattr(error, "response", None) or {}
    unasked = type(error).__name__ if type(error).__name__.endswith("CredentialsError") else ""
    return str(response.get("Error", {}).get("Code", unasked))
