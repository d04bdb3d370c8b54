"""The findings that only a bucket has: checksums, deletion, Object Lock, versioning, address, clock.

In: an S3Store and a probe object that was just written. Out: findings; the object is left where nobody may delete it.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from providers.errors import ProviderError
from providers.storage.finding import FIRST, SECOND, StoreFinding
from providers.storage.s3 import S3Store
from providers.storage.s3_client import code_of, object_lock

ALLOWED_SKEW_SECONDS = 120
LOCAL = ("http://127.", "http://localhost", "http://[::1]")


def findings(store: S3Store, fresh: str) -> Iterator[StoreFinding]:
    yield _address(store)
    yield _clock(store)
    yield _checksum(store)
    yield _versioning(store)
    yield _lock(store, fresh)
    yield _delete(store, fresh)


def _address(store: S3Store) -> StoreFinding:
    endpoint = store.address.endpoint or "AWS"
    plain = endpoint.startswith("http:") and not endpoint.startswith(LOCAL)
    addressing = f"path style, signature v4, {endpoint}, region {store.address.region or 'us-east-1'}"
    fix = "Use an https:// endpoint." if plain else ""
    return StoreFinding(
        "address", "warn" if plain else "ok", addressing, "Without TLS the network sees what is stored.", fix
    )


def _clock(store: S3Store) -> StoreFinding:
    why = "S3 refuses requests more than 15 minutes off, and retention needs the right time."
    try:
        answer: Any = store.client.head_object(Bucket=store.address.bucket, Key=store.name_of("probe/conditional"))
        store_time = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    except Exception as error:
        return StoreFinding(
            "clock", "idle", f"the store does not tell its time ({code_of(error) or type(error).__name__})", why
        )
    skew = (datetime.now(UTC) - store_time).total_seconds()
    wrong = abs(skew) > ALLOWED_SKEW_SECONDS
    offset = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the store's"
    return StoreFinding(
        "clock", "bad" if wrong else "ok", offset, why, "Correct this machine's clock." if wrong else ""
    )


def _checksum(store: S3Store) -> StoreFinding:
    """Bytes that do not match their declared SHA-256 must not be stored."""
    why = "Else bytes that change on the way to the store are noticed only when they are read back."
    key = f"probe/{secrets.token_hex(8)}"
    wrong = base64.b64encode(hashlib.sha256(SECOND).digest()).decode()
    try:
        store.client.put_object(
            Bucket=store.address.bucket, Key=store.name_of(key), Body=FIRST, ChecksumSHA256=wrong, IfNoneMatch="*"
        )
    except Exception as error:
        if code_of(error) in ("BadDigest", "InvalidDigest", "XAmzContentChecksumMismatch", "InvalidRequest"):
            return StoreFinding("checksum", "ok", "wrong SHA-256 refused", why)
        return StoreFinding("checksum", "warn", f"not known ({code_of(error) or type(error).__name__})", why)
    _quietly_delete(store, key)
    fix = "Keep proofs on: they read every object back. Or choose a store that checks x-amz-checksum-sha256."
    return StoreFinding("checksum", "warn", "a wrong SHA-256 was accepted", why, fix)


def _versioning(store: S3Store) -> StoreFinding:
    why = "With versions, a deleted or overwritten object can be brought back."
    try:
        status = store.client.get_bucket_versioning(Bucket=store.address.bucket).get("Status", "off")
    except Exception as error:
        return StoreFinding("versioning", "idle", f"these credentials may not ask ({code_of(error)})", why)
    fix = "" if status == "Enabled" else "Switch versioning on for the bucket."
    return StoreFinding("versioning", "warn" if fix else "ok", str(status).lower(), why, fix)


def _lock(store: S3Store, fresh: str) -> StoreFinding:
    """What is believed is the retention that the store reads back, not what was asked for."""
    why = "Object Lock keeps a run even from whoever holds the writer's credentials."
    days, mode = object_lock()
    wanted = f"{days} days {mode} wanted" if days else "BACKUP_OBJECT_LOCK_DAYS is not set"
    try:
        until = store.retention_of(fresh)
    except ProviderError as error:
        fix = "Give the credentials s3:GetObjectRetention." if days else ""
        return StoreFinding("Object Lock", "warn" if days else "idle", f"not readable: {error.message}", why, fix)
    if until:
        return StoreFinding("Object Lock", "ok", f"a new object is retained until {until:%Y-%m-%d %H:%M} UTC", why)
    if store.offers_lock() and not days:
        return StoreFinding("Object Lock", "warn", f"offered, but {wanted}", why, "Set BACKUP_OBJECT_LOCK_DAYS.")
    fix = "Make a bucket with Object Lock; it cannot be added later everywhere."
    return StoreFinding(
        "Object Lock", "warn" if days else "idle", f"not offered by the bucket; {wanted}", why, fix if days else ""
    )


def _delete(store: S3Store, fresh: str) -> StoreFinding:
    """The writer should not be able to delete what it wrote."""
    why = "Whoever steals the writer's credentials must not be able to delete the backups."
    key, retained = store.name_of(fresh), False
    try:
        retained = bool((head := store.head(fresh)) and head.retained_until)
        store.client.delete_object(Bucket=store.address.bucket, Key=key)
    except Exception as error:
        return StoreFinding("delete", "ok", f"refused to these credentials ({code_of(error) or error})", why)
    hidden = "allowed, but it only hides the object: its version is locked" if retained else "allowed"
    fix = "Give export workers the writer policy of `sampelit-ops store_policies`; only the reaper deletes."
    return StoreFinding("delete", "idle" if retained else "warn", hidden, why, "" if retained else fix)


def _quietly_delete(store: S3Store, key: str) -> None:
    try:
        store.delete(key)
    except ProviderError:
        return
