"""The proof: read every object back, restore into a throwaway server, compare with what the snapshot held.

In: a manifest, a store, identities, a Comparison. Out: a Verdict (proven, suspect or failed) with every reason.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from backups import disk_space
from backups.archive import schema_proof
from backups.archive.drill_database import LEFT_OUT, Drill, Server, drill_database
from backups.archive.loader import Loader
from backups.archive.manifest import Manifest
from backups.archive.signatures import Signer
from backups.archive.signed_json import sealed
from backups.facts.model import RunFacts
from backups.progress import SILENT, Watch
from backups.proof.beside import Beside, sessions_beside
from backups.proof.comparison import NOTHING_BEFORE, Comparison
from backups.proof.findings import Examined, Finding
from backups.proof.large_objects import load_large_objects
from backups.proof.row_comparison import STAGING_SCHEMA, examine
from backups.proof.source_checks import MOST_TOLD, Doubts, doubts_about, unexplained
from backups.stores.papers import proof_key
from providers.counting import counted, first_of
from providers.postgres.connection import pin
from providers.postgres.schema.comparison import OTHERWISE
from providers.postgres.schema.consequences import EXPLAINED, UNEXPLAINED
from providers.storage.base import Store


@dataclass(frozen=True)
class Verdict:
    """`problems` make it failed (the copy is not the snapshot), `doubts` suspect (it is, but look at the source).

    `missing`: what the drill could not rebuild or compare; `amber`: the same of the run's own tables, whose rows hold,
    and which these are.
    """

    run: str
    manifest_sha256: str
    at: str
    problems: tuple[str, ...]
    doubts: tuple[str, ...]
    rows: int
    raw_bytes: int
    chains: int
    milliseconds: int
    server_version: str
    examined: Examined = field(default_factory=Examined)
    facts: RunFacts | None = None
    missing: tuple[str, ...] = ()
    amber: tuple[str, ...] = ()
    tables_in_part: tuple[str, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        return self.examined.findings

    @property
    def status(self) -> str:
        return "failed" if self.problems else "suspect" if self.doubts else "proven"

    @property
    def reasons(self) -> list[str]:
        return [*self.problems, *self.doubts]


def prove(
    manifest: Manifest,
    store: Store,
    identities: Sequence[str] = (),
    watch: Watch = SILENT,
    comparison: Comparison = NOTHING_BEFORE,
    server: Server | None = None,
) -> Verdict:
    """Restore and compare with the snapshot, then with the last good run, where `comparison` has one.

    `milliseconds` is the restore alone, the measured RTO. Raises ProviderError only when the drill itself cannot run
    (then nothing is proven).
    """
    began = time.monotonic()
    raw_bytes = manifest.raw_bytes + comparison.raw_bytes_to_load(manifest)
    disk_space.refuse_without(raw_bytes, _not_proven(manifest.run), manifest.longest_row)
    with drill_database(manifest, server, [STAGING_SCHEMA]) as drill, sessions_beside(drill.login) as beside:
        if drill.note:
            watch.log(f"The drill's server shares files and network with this machine ({drill.note}).")
        loader = Loader(manifest, store, drill.connection, identities, watch, denied=LEFT_OUT, lenient=True)
        different, missing = _restore_and_compare(loader, drill, beside, comparison)
        took = int((time.monotonic() - began) * 1000)
        examined = examine(loader, comparison, drill.reader) if not loader.problems else Examined()
        doubts = doubts_about(loader, comparison, beside) if beside.facts else Doubts()
        doubts.texts += different
        sound = beside.facts if not loader.problems else None
        facts = beside.answer(sound, watch) if sound else None
        examined = (
            replace(examined, findings=(*doubts.findings, *examined.findings))
            if sound
            else Examined(findings=tuple(doubts.findings))
        )
        doubted = unexplained(doubts, examined, comparison.accepted)
        verdict = _verdict(loader, doubted, doubts.chains, took)
        return replace(verdict, examined=examined, facts=facts, missing=tuple(missing))


def _verdict(loader: Loader, doubted: list[str], chains: int, took: int) -> Verdict:
    return Verdict(
        run=loader.manifest.run,
        manifest_sha256=loader.manifest.sha256,
        at=_now(),
        problems=tuple(loader.problems),
        doubts=tuple(doubted),
        rows=loader.rows,
        raw_bytes=loader.bytes,
        chains=chains,
        milliseconds=took,
        server_version=str(loader.connection.info.server_version),
        amber=tuple(dict.fromkeys(loader.amber.values())),
        tables_in_part=tuple(dict.fromkeys(table for table, _ in loader.amber)),
    )


def _not_proven(run: str) -> str:
    return f"The proof of run {run} did not happen; nothing was proven."


def _restore_and_compare(
    loader: Loader, drill: Drill, beside: Beside, comparison: Comparison
) -> tuple[list[str], list[str]]:
    """What of the schema is not as it was, and what could not be rebuilt although no row needs it.

    Rows are compared last, by settings of ours: what the run's own functions and checks did meanwhile shows.
    """
    loader.problems += schema_proof.archive_problems(loader)
    missing = [*drill.not_the_same, *loader.build("before", everything=True)]
    if loader.problems:
        return [], []
    tables = loader.present()
    loader.problems += [loader.amber[t.qualified, ""] for t in loader.manifest.audit_tables if t not in tables]
    if loader.problems:
        return [], missing
    loads = loader.load_all(tables, new=True)
    anew = schema_proof.recompute(loader)
    load_large_objects(loader)
    loader.before_batch = lambda batch: beside.during_indexes(batch, loader, comparison)
    missing += [*loader.build("after", everything=True), *loader.stand_ins]
    pin(loader.connection, read_only=False)
    beside.ask(loader, comparison)
    for table in tables:
        loader.watch.check()
        whole = table.qualified in anew
        loader.compare_whole([table]) if whole else loader.compare(table, loads[table.qualified])
        loader.watch.log(f"{table.qualified}: {counted(table.rows, 'row')} compared.")
    found = schema_proof.compare(loader, drill.owner, skipped=[STAGING_SCHEMA])
    different = [f"The schema did not come back as it was: {item}." for item in found if not item.reason]
    loader.amber |= {(item.name, OTHERWISE): f"{item} ({item.reason})." for item in found if item.reason == OTHERWISE}
    declared = [f"{item} ({item.reason})" for item in found if item.reason not in (UNEXPLAINED, EXPLAINED, OTHERWISE)]
    missing = first_of([*dict.fromkeys([*loader.amber.values(), *missing, *declared])], MOST_TOLD)
    for text in missing:
        loader.watch.log(text)
    return first_of(different, MOST_TOLD), missing


def rejected(run: str, manifest_sha256: str, problem: str) -> Verdict:
    """The verdict on a run whose manifest cannot be trusted: nothing was restored from it."""
    return Verdict(run, manifest_sha256, _now(), (problem,), (), 0, 0, 0, 0, "")


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def store_proof(store: Store, verdict: Verdict, signer: Signer | None) -> str:
    """Write the verdict beside the run, so that it can be seen without the portal; answers its key."""
    return store_document(store, as_document(verdict), signer)


def store_document(store: Store, document: dict[str, Any], signer: Signer | None) -> str:
    """The same for a verdict that was written down before; a second call finds the object and changes nothing."""
    key = proof_key(document)
    store.put_once(key, sealed(document, signer))
    return key


def as_document(verdict: Verdict) -> dict[str, Any]:
    lists = {
        name: list(getattr(verdict, name)) for name in ("problems", "doubts", "missing", "amber", "tables_in_part")
    }
    values = asdict(replace(verdict, examined=Examined(), facts=None))
    del values["facts"]
    return {**values, **lists, "status": verdict.status, "examined": verdict.examined.document()}
