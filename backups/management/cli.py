"""What commands on a store share: they need no portal database, say which manifest was rejected, show progress."""

from __future__ import annotations

import sys
import time
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from backups.archive.signed_json import ManifestError
from backups.progress import Watch
from providers.answers import AnsweringCommand
from providers.errors import Refused
from providers.storage.base import Store
from providers.storage.factory import open_store
from providers.storage.local import LocalStore


class StoreCommand(AnsweringCommand):
    """A rejected manifest is a sentence."""

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            super().handle(*args, **options)
        except ManifestError as error:
            raise CommandError(f"The manifest was rejected: {error}. Nothing was restored from it.") from error


def store_from(url: str | None, reading: bool = False) -> Store:
    """For `reading`, a directory that is not there is a mistyped path and no empty store. Raises Refused."""
    store = open_store(url or settings.BACKUP_STORE)
    if reading and isinstance(store, LocalStore) and not store.root.is_dir():
        raise Refused(f"There is no directory {store.root}. Nothing was read or written. Check the store URL.")
    return store


def watch(quiet: bool) -> Watch:
    """Progress on standard error, at most twice a second, only for people."""
    if quiet or not sys.stderr.isatty():
        return Watch()
    shown = [0.0]

    def progress(done: int, total: int | None = None, unit: str = "rows", note: str = "", **_: Any) -> None:
        if time.monotonic() - shown[0] > 0.5:
            shown[0] = time.monotonic()
            print(f"\r{note}: {done:,} of {total or 0:,} {unit}", end="\033[K", file=sys.stderr, flush=True)

    return Watch(progress=progress)
