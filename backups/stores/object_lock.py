"""How long a store keeps a run whatever anybody asks: Object Lock, read back object by object after the run is stored.

In: a manifest and its store. Out: the earliest end over the manifest and every segment, or why there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from backups.archive.manifest import Manifest, manifest_key
from providers.errors import ProviderError
from providers.storage.base import Store
from providers.storage.s3_client import object_lock


@dataclass(frozen=True)
class Locked:
    """`until` is None where an object of the run is not locked; `warning` only where a lock was wanted."""

    until: datetime | None = None
    mode: str = ""
    warning: str = ""


def read_back(manifest: Manifest, store: Store) -> Locked:
    """Ask the store itself; never raises for its answer, because the run is stored already."""
    days, _ = object_lock()
    wanted = days > 0 and store.url.startswith("s3:")
    try:
        head = store.head(manifest_key(manifest.run))
        if head is None or head.retained_until is None:
            return Locked(warning=f"No Object Lock: {days} days were wanted, {store} tells of none." if wanted else "")
        ends = [store.retention_of(key) for key in (segment.key for segment in manifest.segments)]
    except ProviderError as error:
        return Locked(warning=f"Object Lock could not be read back: {error.message}" if wanted else "")
    open_ended = sum(end is None for end in ends)
    if open_ended:
        return Locked(warning=f"Object Lock covers the manifest but not {open_ended} of {len(ends)} segments.")
    return Locked(min([head.retained_until, *(end for end in ends if end)]), head.lock_mode)
