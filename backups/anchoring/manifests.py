"""The newest proven manifests as anchors of the ledger: they carry its size and head hash."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from backups.anchoring.checkpoints import unexcused
from backups.archive import keys
from backups.archive.reader import load
from backups.archive.signed_json import ManifestError
from backups.models import Run
from ledger import registry
from ledger.registry import Anchor
from providers.errors import ProviderError, Refused
from providers.storage.factory import open_store

ANCHORS = 50


def _manifests() -> Iterator[Anchor]:
    """The ledger's size and head as the newest proven manifests carry them; what cannot be read is no anchor."""
    anchors = []
    for run in Run.objects.counting().order_by("-proven_at")[:ANCHORS]:
        try:
            manifest = load(open_store(run.store_url), run.pk, keys.verifier())
        except (ManifestError, ProviderError, Refused):
            continue
        if manifest.ledger_entries:
            anchor = Anchor(f"manifest of run {run.pk}", manifest.ledger_entries, manifest.ledger_head)
            anchors.append((anchor, datetime.fromisoformat(manifest.source.taken_at)))
    yield from unexcused(anchors) if anchors else ()


def register() -> None:
    registry.anchor_source(_manifests)
