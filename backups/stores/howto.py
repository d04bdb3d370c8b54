"""What lies beside the data for people without the portal: the instructions, once a store."""

from __future__ import annotations

from pathlib import Path

from backups.archive.signatures import sha256
from providers.storage.base import AlreadyStored, Missing, Store

HOWTO_KEY = "HOW-TO-RESTORE.md"
TEXT = Path(__file__).with_name("howto.md")
EDITIONS = frozenset(  # every one that a release wrote; the last is TEXT
    [
        "d4a57ac020ffb3d7fdfba3790333fe83bb19a3bffd542d92de4e17079fe687af",
        "ba75475559411e9a3819bdba55fd1ecaa88add1d331b9e3342903cc4a80bd40c",
        "809645f889b001326083a4a0820697de09abb6d1fb85915a9b8a719503df58a0",
    ]
)


def store_beside(store: Store) -> None:
    try:
        store.put_once(HOWTO_KEY, TEXT.read_bytes())
    except AlreadyStored:
        return  # an older edition is there; what is in a backup store is never overwritten


def problem(store: Store) -> str:
    """Why nobody should follow what is there; empty for an edition of ours, and where there is none."""
    try:
        data = store.get(HOWTO_KEY)
    except Missing:
        return ""
    if sha256(data) in EDITIONS:
        return ""
    return f"{HOWTO_KEY} is not what a portal wrote: do not follow it. Remove it, and the next export writes it again."
