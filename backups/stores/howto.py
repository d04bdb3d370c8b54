"""What lies beside the data for people without the portal: the instructions, once a store."""

from __future__ import annotations

from pathlib import Path

from providers.storage.base import AlreadyStored, Store

HOWTO_KEY = "HOW-TO-RESTORE.md"
TEXT = Path(__file__).with_name("howto.md")


def store_beside(store: Store) -> None:
    try:
        store.put_once(HOWTO_KEY, TEXT.read_bytes())
    except AlreadyStored:
        return  # an older edition is there; what is in a backup store is never overwritten
