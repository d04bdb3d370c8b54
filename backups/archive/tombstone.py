"""The note that retention leaves beside a run before it deletes its data: signed, so that a thief cannot write it.

In: a store, a run's manifest, a Signer. Out: the note, stored once as `runs/<run>/purged.json`, or read back.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from backups.archive.manifest import Manifest
from backups.archive.signatures import Signer, Verifier
from backups.archive.signed_json import ManifestError, sealed, unsealed
from providers.storage.base import AlreadyStored, Missing, Store

FORMAT = "sampelit-ops-purged/1"


def purged_key(run: str) -> str:
    return f"runs/{run}/purged.json"


def leave(store: Store, manifest: Manifest, operation: str, at: datetime, signer: Signer | None) -> None:
    """Write the note; a second attempt finds the first one's and changes nothing."""
    body = {
        "format": FORMAT,
        "run": manifest.run,
        "manifest_sha256": manifest.sha256,
        "at": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "operation": operation,
        "objects": len(manifest.segments),
        "stored_bytes": manifest.stored_bytes,
    }
    try:
        store.put_once(purged_key(manifest.run), sealed(body, signer))
    except AlreadyStored:
        return


def noted(store: Store, manifest: Manifest, verifier: Verifier | None) -> dict[str, Any] | None:
    """The note about this very manifest; one that is not what retention wrote does not count."""
    try:
        body = unsealed(store.get(purged_key(manifest.run)), verifier)
    except (Missing, ManifestError):
        return None
    about = (body.get("format"), body.get("run"), body.get("manifest_sha256"))
    return body if about == (FORMAT, manifest.run, manifest.sha256) else None


def described(note: dict[str, Any]) -> str:
    return f"data deleted by retention on {str(note['at'])[:10]}"
