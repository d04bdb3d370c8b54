"""Which manifest may be believed: the one in the store, if it is the one that the portal wrote down."""

from __future__ import annotations

from django.conf import settings

from backups.archive import keys
from backups.archive.late_rows import LateRows, late_rows_of
from backups.archive.manifest import Manifest
from backups.archive.reader import load
from backups.archive.signed_json import ManifestError
from backups.models import Run
from providers.errors import ProviderError, Refused
from providers.storage.base import Store
from providers.storage.factory import open_store


class Rejected(ProviderError):
    """The store's manifest is not the one that the portal wrote down."""


def trusted_manifest(run: Run, store: Store) -> Manifest:
    """The manifest as the portal saw it when it was written; raises Rejected when the store's is another."""
    try:
        manifest = load(store, run.pk, keys.verifier())
    except (ManifestError, Refused) as error:
        raise Rejected(f"The manifest of {run} was rejected: {error}. Nothing was restored from it.") from None
    if run.manifest_sha256 and manifest.sha256 != run.manifest_sha256:
        raise Rejected(f"The manifest of {run} was replaced: its digest is not the one written down here.")
    return manifest


def store_of(run: Run) -> Store:
    return open_store(run.store_url or settings.BACKUP_STORE)


def late_rows_after(run: Run) -> list[LateRows]:
    """What a migration kept beside its restore point. Raises Refused when a document is not what was written."""
    store = store_of(run)
    try:
        return late_rows_of(store, trusted_manifest(run, store), keys.verifier())
    except ManifestError as error:
        raise Refused(f"Rows kept after {run} were rejected: {error}. Nothing was written.") from None
