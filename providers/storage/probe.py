"""What a store can do, seen and not believed: a few small objects under `probe/` are written, read and fought over.

In: a Store. Out: findings, worst things said plainly; `ready` is the short form before each run. No other object
is touched.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from providers.errors import ProviderError, Refused
from providers.storage.base import AlreadyStored, Store, StoreError
from providers.storage.finding import FIRST, SECOND, StoreFinding
from providers.storage.local import LocalStore
from providers.storage.s3 import S3Store

KEY = "probe/conditional"


def ready(store: Store) -> None:
    """What the commit protocol needs: write, read back, refuse to overwrite. Raises StoreError or Refused."""
    try:
        store.put_once(KEY, FIRST)
    except AlreadyStored:
        raise Refused(
            f"{store} has lost its own probe object: {KEY} holds other content, so overwriting is possible there. "
            "Nothing was copied. Find out who writes into this store."
        ) from None
    if store.get(KEY) != FIRST:
        raise Refused(f"{store} does not give back what was written. Nothing was copied. Choose another store.")
    try:
        store.put_once(KEY, SECOND)
    except AlreadyStored:
        return
    raise Refused(
        f"{store} overwrites objects although it is told not to (If-None-Match), so a crash could look like a backup. "
        "Nothing was copied. Choose a store with conditional writes."
    )


def probe(store: Store) -> list[StoreFinding]:
    """Every finding, in order. Never raises for what the store does: a store that is away is one red finding."""
    rows = [_said("write, read back, no overwrite", lambda: ready(store), "conditional writes hold", _PROTOCOL)]
    if rows[0].tone == "bad":
        return rows
    fresh = f"probe/{secrets.token_hex(8)}"
    rows.append(_said("list", lambda: _listed(store, fresh), "shows a new object at once", _LISTING))
    if isinstance(store, S3Store):
        from providers.storage.probe_s3 import findings

        return rows + list(findings(store, fresh))
    rows += list(_local(store)) if isinstance(store, LocalStore) else []
    store.delete(fresh)
    return rows


_PROTOCOL = "A run exists once its manifest does; an overwritten object would make the manifest a lie."
_LISTING = "Runs are found by listing when the portal's database is gone."


def _said(name: str, act: Callable[[], None], good: str, why: str) -> StoreFinding:
    try:
        act()
    except (ProviderError, Refused) as error:
        return StoreFinding(name, "bad", str(error), why, "Correct this before the next export.")
    return StoreFinding(name, "ok", good, why)


def _listed(store: Store, key: str) -> None:
    store.put_once(key, FIRST)
    if key not in {item.key for item in store.list("probe/")}:
        raise StoreError(f"{store} does not list an object that it just accepted. Listings cannot be relied on.")


def _local(store: LocalStore) -> Iterator[StoreFinding]:
    mode = Path(store.root).stat().st_mode & 0o777
    why = "Whoever can read the directory can read unencrypted rows."
    fix = f"chmod 700 {store.root}" if mode & 0o077 else ""
    yield StoreFinding("directory mode", "warn" if fix else "ok", f"{mode:04o}", why, fix)
    free = shutil.disk_usage(store.root).free
    tone = "bad" if free < 1 << 30 else "ok"
    yield StoreFinding(
        "room",
        tone,
        f"{free / 1e9:.1f} GB free",
        "A full disk ends every export.",
        "Free space." if tone == "bad" else "",
    )
    gone = bool(os.environ.get("RENDER"))
    why = "A copy on this machine's own disk is lost together with the machine."
    kind = "an ephemeral disk: gone with the next deploy" if gone else "a directory of this machine"
    yield StoreFinding("place", "warn" if gone else "idle", kind, why, "Use an s3:// store." if gone else "")
    why = "Whoever may write here may also delete; a bucket with Object Lock refuses that."
    yield StoreFinding("Object Lock", "idle", "a directory has none", why)
