"""Reading a run back from a store: its manifest, its proofs, the list of runs. In: a store. Out: values, problems."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from backups.archive import tombstone
from backups.archive.manifest import Manifest, Segment, manifest_key
from backups.archive.segment_codec import Damaged, check_stored, unpack
from backups.archive.signatures import Verifier
from backups.archive.signed_json import ManifestError, decode, unsealed
from providers.errors import Refused
from providers.storage.base import Missing, Store, StoreError


@dataclass(frozen=True)
class Listed:
    """One run as the store shows it; `status` is stored until a proof says more, purged once retention said so."""

    run: str
    status: str
    policy: str = ""
    environment: str = ""
    taken_at: str = ""
    rows: int = 0
    stored_bytes: int = 0
    proven_at: str = ""
    in_part: bool = False
    problem: str = ""
    purged_at: str = ""


def load(store: Store, run: str, verifier: Verifier | None) -> Manifest:
    """The run's manifest. Raises Refused when the run does not exist, ManifestError when it is not what was written."""
    try:
        data = store.get(manifest_key(run))
    except Missing:
        raise Refused(f"{store} holds no run of that id (no manifest). Nothing was changed. See list_runs.") from None
    manifest = decode(data, verifier)
    if manifest.run != run:
        raise ManifestError(f"it belongs to run {manifest.run}: it was replayed or moved")
    return manifest


def proofs(store: Store, run: str, verifier: Verifier | None) -> list[dict[str, Any]]:
    """Every readable proof of a run, oldest first; a proof that is not what was written does not count."""
    documents = []
    for item in store.list(f"runs/{run}/"):
        if not item.key.startswith(f"runs/{run}/proof-"):
            continue
        try:
            documents.append(unsealed(store.get(item.key), verifier))
        except ManifestError:
            continue
    return sorted(documents, key=lambda proof: str(proof.get("at", "")))


def runs(store: Store, verifier: Verifier | None, newest: int = 0) -> Iterator[Listed]:
    """Every run that has a manifest, oldest first (ids sort by time); or so many of the newest, newest first.

    Of no other run an object is asked for or read.
    """
    found = (_listed(store, run, verifier) for run in sorted(store.folders("runs/"), reverse=bool(newest)))
    yield from islice((run for run in found if run), newest or None)


def _listed(store: Store, run: str, verifier: Verifier | None) -> Listed | None:
    """None for what is no run: it was not finished."""
    try:
        manifest = load(store, run, verifier)
    except Refused:
        return None
    except ManifestError as error:
        return Listed(run, "failed", problem=f"The manifest was rejected: {error}.")
    latest = [proof for proof in proofs(store, run, verifier) if proof.get("manifest_sha256") == manifest.sha256][-1:]
    status = str(latest[0]["status"]) if latest else "stored"
    note = tombstone.noted(store, manifest, verifier)
    return Listed(
        run=run,
        status="purged" if note else status,
        policy=manifest.policy,
        environment=manifest.environment,
        taken_at=manifest.source.taken_at,
        rows=manifest.rows,
        stored_bytes=manifest.stored_bytes,
        proven_at=str(latest[0]["at"]) if status == "proven" else "",
        in_part=status == "proven" and bool(latest[0].get("amber")),
        purged_at=str(note["at"]) if note else "",
    )


def segment_problem(store: Store, segment: Segment, identities: Sequence[str], deep: bool) -> str:
    """Read one object back and compare it; with `deep` also decrypt and decompress. Empty when it is whole."""
    try:
        data = store.get(segment.key)
        if not deep:
            check_stored(data, segment)
            return ""
        for _ in unpack(data, segment, identities):
            pass
    except Missing:
        return f"{segment.key} is missing from the store."
    except Damaged as error:
        return f"{error}."
    return ""


@dataclass
class Inventory:
    """Runs newest first (ids sort by time), the time of each one's newest proof, runs whose data was deleted."""

    runs: list[str] = field(default_factory=list)
    proofs: dict[str, str] = field(default_factory=dict)
    purged: set[str] = field(default_factory=set)


def inventory(store: Store) -> Inventory:
    listing = Inventory()
    for item in store.list("runs/"):
        _, run, *rest = item.key.split("/")
        if rest == ["manifest.json"]:
            listing.runs.append(run)
        elif rest == ["purged.json"]:
            listing.purged.add(run)
        elif len(rest) == 1 and rest[0].startswith("proof-"):
            listing.proofs[run] = max(listing.proofs.get(run, ""), rest[0].removeprefix("proof-").removesuffix(".json"))
    listing.runs.sort(reverse=True)
    return listing


def read_again(store: Store, key: str) -> bytes:
    """A read that was cut off is asked for once more; reading changes nothing."""
    try:
        return store.get(key)
    except StoreError as error:
        if not error.retryable:
            raise
    return store.get(key)
