"""The ledger's size and head, signed and written into the store every hour: a ledger cut back no longer fits them.

In: the ledger's head, the store, the signing key. Out: `ledger/checkpoints/<size>-<head>.json`, once each, and anchors
for `verify_ledger`. After a recovery, `ledger/recoveries/…` says which of them speak of entries that were lost.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings

from backups.archive import keys as archive_keys
from backups.archive.signatures import Verifier
from backups.archive.signed_json import ManifestError, sealed, unsealed
from ledger.models import Checkpoint, Head
from ledger.registry import Anchor, anchor_source
from ledger.services import checkpoint
from operations.notify import alarm
from operations.periodic.clock import database_time
from providers.errors import ProviderError, Refused
from providers.storage.base import AlreadyStored, Store
from providers.storage.factory import open_store

logger = logging.getLogger("backups.checkpoints")
FORMAT, RECOVERY_FORMAT = "sampelit-ops-ledger/1", "sampelit-ops-recovery/1"
PREFIX, RECOVERIES = "ledger/checkpoints/", "ledger/recoveries/"
EVERY = timedelta(hours=1)
COMPARED = 24


@dataclass(frozen=True)
class Mark:
    """One checkpoint as the store has it."""

    size: int
    head_sha256: str
    at: datetime


@dataclass(frozen=True)
class Recovery:
    """The portal came back with `size` entries at `at`; whatever was written down before about more was lost."""

    size: int
    at: datetime

    def excuses(self, size: int, at: datetime) -> bool:
        return size > self.size and at < self.at


def can_sign() -> bool:
    """A process that only checks signatures leaves the duty to one with the key; without any keys all are alike."""
    return archive_keys.signer() is not None or not archive_keys.verifiers()


def keep() -> None:
    """The duty, asked every minute: where the last checkpoint is an hour old, the first process with the key writes."""
    if not can_sign():
        return
    newest = Checkpoint.objects.first()
    grown = newest is None or Head.objects.filter(sequence__gt=newest.size).exists()
    if grown and (newest is None or database_time() - newest.created_at >= EVERY):
        write()


def write() -> str:
    """Write the present head into the store; answers its key, or nothing while the ledger is empty."""
    row = checkpoint()
    if row is None:
        return ""
    body = {"format": FORMAT, "size": row.size, "head_sha256": row.head_sha256, "at": _text(row.created_at)}
    key = f"{PREFIX}{row.size:012d}-{row.head_sha256[:12]}.json"
    name, subject = "ledger checkpoints", "The ledger's checkpoints do not reach the store"
    try:
        open_store(settings.BACKUP_STORE).put_once(key, sealed(body, archive_keys.signer()))
    except AlreadyStored:
        return key  # written before, with a key that was rotated since
    except (ProviderError, Refused) as error:
        alarm(name, True, subject=subject, body=str(error))
        raise
    alarm(name, False, subject=subject)
    return key


def marks(store: Store, verifier: Verifier | None, newest: int = COMPARED) -> list[Mark]:
    """The newest checkpoints whose signature holds, largest first."""
    keys = sorted((item.key for item in store.list(PREFIX)), reverse=True)[:newest]
    bodies = [body for key in keys if (body := _body(store, key, verifier, FORMAT))]
    return [Mark(int(body["size"]), str(body["head_sha256"]), _moment(body["at"])) for body in bodies]


def rejected(store: Store, verifier: Verifier | None, newest: int = COMPARED) -> list[str]:
    """Keys among the newest that are not what the portal wrote."""
    keys = sorted((item.key for item in store.list(PREFIX)), reverse=True)[:newest]
    return [key for key in keys if _body(store, key, verifier, FORMAT) is None]


def recoveries(store: Store, verifier: Verifier | None) -> list[Recovery]:
    bodies = [_body(store, item.key, verifier, RECOVERY_FORMAT) for item in store.list(RECOVERIES)]
    return [Recovery(int(body["size"]), _moment(body["at"])) for body in bodies if body]


def write_recovery(store: Store, at: datetime, size: int, head: str, run: str) -> None:
    """Say, signed, from where the ledger goes on after a recovery."""
    body = {"format": RECOVERY_FORMAT, "at": _text(at), "size": size, "head_sha256": head, "run": run}
    store.put_once(
        f"{RECOVERIES}{_text(at).translate(str.maketrans('', '', ':-.'))}.json", sealed(body, archive_keys.signer())
    )


def unexcused(anchors: Iterable[tuple[Anchor, datetime]]) -> list[Anchor]:
    """Anchors without those that a signed recovery in the store says were lost."""
    try:
        excuses = recoveries(open_store(settings.BACKUP_STORE), archive_keys.verifier())
    except (ProviderError, Refused):
        excuses = []
    return [anchor for anchor, at in anchors if not any(recovery.excuses(anchor.size, at) for recovery in excuses)]


@anchor_source
def _in_the_store() -> Iterator[Anchor]:
    """What cannot be read is no anchor; the doctor says so."""
    try:
        store = open_store(settings.BACKUP_STORE)
        anchors = [(_anchor(mark), mark.at) for mark in marks(store, archive_keys.verifier())]
    except (ProviderError, Refused) as error:
        logger.warning("the ledger was not compared with the store's checkpoints: %s", error)
        return
    yield from unexcused(anchors)


def _anchor(mark: Mark) -> Anchor:
    return Anchor(f"the store's checkpoint of {mark.at:%Y-%m-%d %H:%M} UTC", mark.size, mark.head_sha256)


def _body(store: Store, key: str, verifier: Verifier | None, wanted: str) -> dict[str, Any] | None:
    try:
        body = unsealed(store.get(key), verifier)
    except ManifestError:
        return None
    return body if body.get("format") == wanted else None


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _moment(text: object) -> datetime:
    return datetime.fromisoformat(str(text))
