"""Our side: one export of the audit table, timed; with options for connections, format, evidence, encryption, proof."""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

from backups.export import exporter as exporting
from backups.export.exporter import ExportPlan, export
from backups.policy_spec import PolicySpec
from backups.proof.prove import prove
from bench.data import TABLE
from bench.parts import timed
from providers.storage.base import Store


@dataclass(frozen=True)
class Variant:
    """`evidence` takes row digests; `proof` restores and compares afterwards; `identities` encrypt and decrypt."""

    fmt: str = "binary"
    connections: int = 1
    evidence: bool = False
    proof: bool = False
    recipients: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()


@dataclass(frozen=True)
class Took:
    """Wall seconds, bytes that were stored, processor seconds of the client side and of servers that it started (not of
    the source's), wall seconds by part."""

    seconds: float
    stored_bytes: int
    cpu: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)


def cpu_seconds() -> float:
    """Processor time of this process and of its ended children."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def run_in_parts(dsn: str, store: Store, variant: Variant) -> Took:
    """The same with the seconds of each part."""
    with timed() as parts:
        return replace(run(dsn, store, variant), parts=parts)


def run(dsn: str, store: Store, variant: Variant) -> Took:
    """Seconds from the connection to the manifest (or to the proof), and the bytes that lie in the store."""
    exporting.PARALLEL_FROM_BYTES = 0
    spec = PolicySpec("bench", "bench", (TABLE,), variant.fmt)
    plan = ExportPlan(
        uuid4().hex,
        dsn,
        store,
        recipients=variant.recipients,
        connections=variant.connections,
        evidence=variant.evidence,
    )
    began, cpu = time.monotonic(), cpu_seconds()
    manifest = export(spec, plan)
    if variant.proof:
        verdict = prove(manifest, store, variant.identities)
        if verdict.status != "proven":
            raise RuntimeError(f"the benchmark's run is {verdict.status}: {verdict.reasons}")
    seconds = time.monotonic() - began
    used = cpu_seconds() - cpu
    empty(store)
    return Took(seconds, manifest.stored_bytes, used)


def empty(store: Store) -> None:
    for item in list(store.list("runs/")):
        store.delete(item.key)


def directory(home: Path, name: str) -> Path:
    path = home / name
    path.mkdir(parents=True, exist_ok=True)
    return path
