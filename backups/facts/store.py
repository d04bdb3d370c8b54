"""Facts beside their run: `runs/<run>/evidence.json`, written once, signed like a proof, kept when the data goes.

In: a store, a document. Out: the same read back, or ManifestError when a byte of it is not what was written.
"""

from __future__ import annotations

from typing import Any

from backups.archive.manifest import Manifest
from backups.archive.signatures import Signer, Verifier, sha256
from backups.archive.signed_json import ManifestError, sealed, unsealed
from backups.facts.model import RunFacts, from_document
from backups.progress import Watch
from providers.storage.base import AlreadyStored, Missing, Store


def evidence_key(run: str) -> str:
    return f"runs/{run}/evidence.json"


def leave(store: Store, document: dict[str, Any], signer: Signer | None) -> dict[str, Any]:
    """Write the facts once; a later proof of the same run finds those of the first. Answers what now lies there:
    its key and SHA-256, for the proof to remember; nothing where there are no facts."""
    if not document:
        return {}
    key, data = evidence_key(str(document["run"])), sealed(document, signer)
    try:
        store.put_once(key, data)
    except AlreadyStored:
        data = store.get(key)
    return {"key": key, "sha256": sha256(data), "bytes": len(data)}


def earlier(store: Store | None, manifest: Manifest | None, verifier: Verifier | None, watch: Watch) -> RunFacts | None:
    """What was written down about the last good run; altered facts are told in the log and count as none."""
    if store is None or manifest is None:
        return None
    try:
        return read(store, manifest, verifier)
    except ManifestError as error:
        watch.log(f"The facts about run {manifest.run} were rejected: {error}.")
        return None


def read(store: Store, manifest: Manifest, verifier: Verifier | None, expected: str = "") -> RunFacts | None:
    """The facts about this very manifest; None where none were written. Raises ManifestError when they were altered,
    and, with the SHA-256 that a proof remembers, when they are gone."""
    try:
        data = store.get(evidence_key(manifest.run))
    except Missing:
        if expected:
            raise ManifestError("they were deleted from the store") from None
        return None
    body = unsealed(data, verifier)
    if expected and sha256(data) != expected:
        raise ManifestError("they are not the ones that the proof wrote down")
    try:
        facts = from_document(body)
    except ValueError as error:
        raise ManifestError(str(error)) from None
    if (facts.run, facts.manifest_sha256) != (manifest.run, manifest.sha256):
        raise ManifestError("its facts belong to another manifest: they were replayed or moved")
    if _heads(manifest) != {head for table in facts.tables for head in table.heads}:
        raise ManifestError("its facts count other chains than its manifest")
    return facts


def _heads(manifest: Manifest) -> set[tuple[str, str, int, str]]:
    chained = [table for table in manifest.tables if table.chains is not None]
    return {(table.qualified, head.chain, head.rows, head.head) for table in chained for head in table.chains or ()}
