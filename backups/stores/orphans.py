"""Removes what unfinished attempts left in a store: segments older than a grace period that no manifest names.

In: a store and the clock. Out: the keys that were removed. Whatever a manifest names is never touched.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings

from backups.archive import keys as archive_keys
from backups.archive.manifest import manifest_key
from backups.archive.reader import load
from backups.archive.signed_json import ManifestError
from backups.models import Run
from operations.periodic.clock import database_time
from operations.periodic.isolation import one_by_one
from providers.errors import ProviderError, Refused
from providers.storage.base import Store
from providers.storage.factory import open_store

logger = logging.getLogger("backups.sweep")
GRACE = timedelta(hours=48)
PAPERS = ("proof-", "evidence.json", "kept/", "purged.json")


def orphans(store: Store, now: datetime, grace: timedelta = GRACE, known: Collection[str] = frozenset()) -> list[str]:
    """Keys under `runs/` that are old and belong to no stored run; a run with a bad manifest is left for people.

    So is one that lost its manifest: `known` are runs that the portal relies on, or that are being written.
    """
    by_run: dict[str, list[tuple[str, datetime]]] = {}
    for item in store.list("runs/"):
        by_run.setdefault(item.key.split("/")[1], []).append((item.key, item.modified_at))
    keys_to_delete: list[str] = []
    for run, items in by_run.items():
        keys = {key for key, _ in items}
        if manifest_key(run) not in keys and (run in known or _ended(run, keys)):
            logger.error("run %s has lost its manifest; nothing of it is removed. Look for who removed it.", run)
            continue
        prefixes = _prefixes_to_keep(store, run, keys)
        if prefixes is not None:
            keys_to_delete += [key for key, at in items if now - at > grace and not key.startswith(prefixes)]
    return sorted(keys_to_delete)


def _ended(run: str, keys: Collection[str]) -> bool:
    """Papers that are written only after a manifest."""
    return any(key.startswith(tuple(f"runs/{run}/{name}" for name in PAPERS)) for key in keys)


def _prefixes_to_keep(store: Store, run: str, keys: set[str]) -> tuple[str, ...] | None:
    """What to keep: nothing without a manifest, its own prefix and papers with one, all if it is unreadable."""
    if manifest_key(run) not in keys:
        return ("//",)
    try:
        manifest = load(store, run, archive_keys.verifier())
    except (ManifestError, ProviderError, Refused):
        return None
    return manifest.prefix, manifest_key(run), *(f"runs/{run}/{name}" for name in PAPERS)


def sweep(store: Store, now: datetime, grace: timedelta = GRACE, known: Collection[str] = frozenset()) -> list[str]:
    """Delete the orphans. Each key is looked at again right before, because a slow attempt may just have finished."""

    def remove(key: str) -> str:
        run = key.split("/")[1]
        if store.head(manifest_key(run)) is not None and not _still_orphan(store, run, key):
            return ""
        store.delete(key)
        return key

    return [key for key in one_by_one(orphans(store, now, grace, known), remove) if key]


def _still_orphan(store: Store, run: str, key: str) -> bool:
    prefixes = _prefixes_to_keep(store, run, {manifest_key(run)})
    return prefixes is not None and not key.startswith(prefixes)


def sweep_default_store() -> None:
    """The hourly job of the portal's own store."""
    known = Run.objects.exclude(status=Run.Status.FAILED, stored_at=None).values_list("pk", flat=True)
    removed = sweep(open_store(settings.BACKUP_STORE), database_time(), known=frozenset(known))
    if removed:
        logger.info("removed %d orphans of unfinished attempts", len(removed))
