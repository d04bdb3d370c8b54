"""What the four queue-less commands share: the store, the keys, one error shape, progress on standard error.

In: options of a command. Out: values, or CommandError with exit code 2 (refused, unknown) or 1 (failed).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from backups.archive.signed_json import ManifestError
from backups.progress import Watch
from providers.errors import ProviderError, Refused
from providers.redact import redact
from providers.storage.base import Store
from providers.storage.factory import open_store
from providers.storage.local import LocalStore


@contextmanager
def command_errors() -> Iterator[None]:
    """Turn the errors of providers and rules into one sentence and an exit code."""
    try:
        yield
    except Refused as error:
        raise CommandError(redact(error.reason), returncode=2) from None
    except ManifestError as error:
        raise CommandError(f"The manifest was rejected: {error}. Nothing was restored from it.", returncode=1) from None
    except ProviderError as error:
        raise CommandError(redact(error.message), returncode=1) from None


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


def show(command: Any, as_json: bool, document: dict[str, Any], text: str) -> None:
    command.stdout.write(json.dumps(document) if as_json else text)
