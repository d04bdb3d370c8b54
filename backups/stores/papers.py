"""What lies beside a run and no manifest names: instructions, proofs, facts. Each is as it was written, or told.

In: a store, a run's manifest, what the portal remembers to have written. Out: sentences.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from backups.archive.manifest import Manifest
from backups.archive.signatures import Verifier
from backups.archive.signed_json import ManifestError, unsealed
from backups.facts.store import evidence_key
from backups.stores import howto
from providers.storage.base import Missing, Store


def proof_key(document: dict[str, Any]) -> str:
    """Where a proof lies: its name says when."""
    at = str(document["at"]).translate(str.maketrans("", "", ":-."))
    return f"runs/{document['run']}/proof-{at}.json"


def paper_problems(
    store: Store, manifest: Manifest, verifier: Verifier | None, written: Collection[str] = ()
) -> list[str]:
    """`written`: keys of papers that must be there."""
    here = f"runs/{manifest.run}/"
    keys = [item.key for item in store.list(here)]
    papers = [key for key in keys if key.startswith(f"{here}proof-") or key == evidence_key(manifest.run)]
    gone = [f"{key} is gone from the store, where the portal wrote it." for key in sorted({*written} - {*keys})]
    found = [howto.problem(store), *(_problem(store, key, manifest, verifier) for key in papers), *gone]
    return [text for text in found if text]


def _problem(store: Store, key: str, manifest: Manifest, verifier: Verifier | None) -> str:
    try:
        body = unsealed(store.get(key), verifier)
    except Missing:
        return f"{key} is gone from the store."
    except ManifestError as error:
        return f"{key} was rejected: {error}."
    if (body.get("run"), body.get("manifest_sha256")) != (manifest.run, manifest.sha256):
        return f"{key} speaks of another run or manifest: it was replayed or moved."
    if key != evidence_key(manifest.run) and key != proof_key({"at": "", **body}):
        return f"{key} holds another proof than its name says: it was moved."
    return ""
