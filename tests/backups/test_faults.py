"""Faults at every kind of call to the store: what is listed as stored restores equal; nothing unfinished is listed.

A seeded sample of call indexes; SOAK=1 walks them all.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from backups.archive.reader import load, runs
from backups.archive.signed_json import ManifestError
from backups.export.exporter import ExportPlan, export
from backups.proof.prove import prove
from operations.models.ulid import new_ulid
from providers.errors import ProviderError
from providers.storage.base import Store, StoreError
from providers.storage.factory import open_store
from tests import sampling
from tests.backups.conftest import AUDIT

FAULTS = ("error", "lost answer", "short write", "flipped bit", "stale")
SEED = sampling.SEED


@dataclass
class Faulty:
    """A store whose call number `at`, and those after it as long as the fault lasts, go wrong in the given way."""

    inner: Store
    fault: str
    at: int
    lasts: int = 1
    calls: int = 0

    @property
    def url(self) -> str:
        return self.inner.url

    def _now(self) -> bool:
        self.calls += 1
        return self.at <= self.calls < self.at + self.lasts

    def put_once(self, key: str, data: bytes):
        if not self._now():
            return self.inner.put_once(key, data)
        if self.fault == "lost answer":
            self.inner.put_once(key, data)
        elif self.fault == "short write":
            return self.inner.put_once(key, bytes(data)[: len(data) // 2])
        elif self.fault == "flipped bit":
            return self.inner.put_once(key, bytes([data[0] ^ 1]) + bytes(data)[1:])
        raise StoreError(f"the store did not answer for {key}", retryable=True)

    def get(self, key: str) -> bytes:
        data = self.inner.get(key)
        if not self._now() or self.fault in ("lost answer", "stale"):
            return data
        if self.fault == "error":
            raise StoreError(f"the store did not answer for {key}", retryable=True)
        return data[: len(data) // 2] if self.fault == "short write" else bytes([data[0] ^ 1]) + data[1:]

    def head(self, key: str):
        if self._now() and self.fault == "stale":
            return None
        return self.inner.head(key)

    def list(self, prefix: str = "") -> Iterator:
        items = list(self.inner.list(prefix))
        return iter(items[:-1] if self._now() and self.fault == "stale" else items)

    def folders(self, prefix: str) -> Iterator[str]:
        names = list(self.inner.folders(prefix))
        return iter(names[:-1] if self._now() and self.fault == "stale" else names)

    def delete(self, key: str) -> None:
        self.inner.delete(key)


def cases() -> list[tuple[str, int]]:
    """One index for each fault, rotated by the seed; all of them in a soak."""
    every = [(fault, at) for fault in FAULTS for at in range(1, 13)]
    if sampling.WHOLE:
        return every
    chosen = random.Random(SEED)
    return [(fault, chosen.randint(1, 11)) for fault in FAULTS for _ in range(2)]


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("fault", "at"), cases())
def test_a_fault_in_an_export_never_looks_like_a_backup(sampelit, tmp_path: Path, drill, fault: str, at: int) -> None:
    inner = open_store(f"file://{tmp_path}/store")
    run, dsn = new_ulid(), sampelit["export"]
    try:
        export(AUDIT, ExportPlan(run, dsn, Faulty(inner, fault, at)))
    except (ProviderError, ManifestError):
        pass
    first = believed(inner, drill)

    try:
        export(AUDIT, ExportPlan(run, dsn, inner, fence=2))
    except (ProviderError, ManifestError):
        assert fault in ("short write", "flipped bit")  # the manifest itself was spoilt: a person has to look

    second = believed(inner, drill)
    assert set(first) <= set(second)
    assert set(second.values()) <= {"proven", "red"}
    if fault in ("error", "lost answer", "stale"):
        assert second == {run: "proven"}


def believed(store: Store, drill) -> dict[str, str]:
    """Every listed run, and whether a proof calls it proven; a run that does not compare equal must be red."""
    statuses = {}
    for item in runs(store, None):
        if item.status == "failed":
            statuses[item.run] = "red"
            continue
        verdict = prove(load(store, item.run, None), store, server=drill)
        statuses[item.run] = "proven" if verdict.status == "proven" else "red"
    return statuses


@pytest.mark.parametrize("fault", ["error", "short write", "flipped bit"])
def test_a_bad_object_is_never_green_and_a_bad_line_is_read_again(sampelit, tmp_path: Path, drill, fault: str) -> None:
    inner = open_store(f"file://{tmp_path}/store")
    manifest = export(AUDIT, ExportPlan(new_ulid(), sampelit["export"], inner))
    for at in random.Random(SEED).sample(range(1, len(manifest.segments) + 1), 2):
        try:
            status = prove(manifest, Faulty(inner, fault, at, lasts=2), server=drill).status
        except ProviderError:
            status = "did not happen"
        assert status != "proven"
        if at > len(manifest.objects):
            assert prove(manifest, Faulty(inner, fault, at), server=drill).status == "proven"
    assert prove(manifest, inner, server=drill).status == "proven"
