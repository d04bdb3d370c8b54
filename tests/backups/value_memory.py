"""A process that copies a tiny database, then another, and prints by how many bytes its peak grew. No portal needed."""

from __future__ import annotations

import sys
from pathlib import Path

from pyrage import x25519

from backups.archive.manifest import Manifest
from backups.archive.segment_codec import unpack
from backups.export.exporter import ExportPlan, export
from backups.policy_spec import PolicySpec
from providers.storage.base import Store
from providers.storage.factory import open_store

ALL = PolicySpec("whole", "production", ("*",))


def copied(run: str, dsn: str, store: Store, recipients: list[str], identity: str) -> Manifest:
    """What a worker does with a value: copied and sealed, then read back for the drill."""
    plan = ExportPlan(run=run, dsn=dsn, store=store, recipients=tuple(recipients), connections=1)
    manifest = export(ALL, plan)
    for segment in manifest.segments:
        for _ in unpack(store.get(segment.key), segment, [identity]):
            pass
    return manifest


def grown(argv: list[str]) -> int:
    """By how much the process grows that copies the second database after the first. A process of its own."""
    tiny, large, url = argv
    store, identity = open_store(url), x25519.Identity.generate()
    keys = [str(identity.to_public())] * 2
    copied("01M8MG50N9DCSM20TYK2WHER5V", tiny, store, keys, str(identity))
    before = _peak()
    copied("01M8MG50N9DCSM20TYK2WHER5W", large, store, keys, str(identity))
    return _peak() - before


def _peak() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    print(grown(sys.argv[1:]))
