"""The export: one snapshot, segments, the manifest last. One function serves the worker's step and the bare command.

In: a policy, a store, a DSN. Out: the Manifest that the store now holds. Raises Refused and ProviderError; whatever was
stored before is an orphan under this attempt's own prefix, without a manifest, and is never listed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from backups import disk_space
from backups.archive.manifest import Column, Head, Manifest, Segment, Table, manifest_key
from backups.archive.signatures import Signer
from backups.archive.signed_json import decode, encode
from backups.export.fallback import fallen_back
from backups.export.large_objects import with_large_objects
from backups.export.locked_snapshot import locked_snapshot, refuse, source_of
from backups.export.schema import Place, copy_schema
from backups.export.table_jobs import TableJobs
from backups.export.worker_pool import Crew
from backups.policy_spec import PolicySpec
from backups.progress import SILENT, Watch
from backups.stores import howto
from providers import postgres
from providers.counting import counted
from providers.embedded_postgres.choice import too_new
from providers.postgres.connection import Connection
from providers.postgres.copy.largest_value import largest_value
from providers.postgres.copy.unplanned import FORMAT
from providers.storage.base import AlreadyStored, Store

TOOL = "sampelit-ops 0.1"
PARALLEL_FROM_BYTES = 96 << 20
BEAT_SECONDS = 1.0


@dataclass(frozen=True)
class ExportPlan:
    """Everything an export needs besides the policy; `fence` names the attempt's own prefix. `room_for_drill`: this
    machine will prove the run too, so it is refused where a drill would not fit."""

    run: str
    dsn: str
    store: Store
    fence: int = 1
    recipients: tuple[str, ...] = ()
    signer: Signer | None = None
    connections: int = 2
    evidence: bool = True
    room_for_drill: bool = False
    last_identity: str = ""
    last_timeline: int = 0
    previous_sha256: str = ""
    ledger_entries: int = 0
    ledger_head: str = ""

    @property
    def prefix(self) -> str:
        return f"runs/{self.run}/{self.fence}/"


def existing(store: Store, run: str, signer: Signer | None) -> Manifest | None:
    """The run's manifest if an earlier attempt finished it."""
    if store.head(manifest_key(run)) is None:
        return None
    return decode(store.get(manifest_key(run)), signer.verifier if signer else None)


def export(spec: PolicySpec, plan: ExportPlan, watch: Watch = SILENT) -> Manifest:
    """Copy what the policy names. A redelivered call finds the manifest of the first and changes nothing."""
    manifest = existing(plan.store, plan.run, plan.signer)
    if manifest is not None:
        watch.log("The manifest is already stored; nothing is copied again.")
        return manifest
    leader = postgres.connect(plan.dsn)
    try:
        manifest = _copy(leader, spec, plan, watch)
    except psycopg.Error as error:
        raise postgres.explain(error, "The export") from None
    finally:
        leader.close()
    return commit(manifest, plan, watch)


def commit(manifest: Manifest, plan: ExportPlan, watch: Watch) -> Manifest:
    """Write the manifest, once and last. If another attempt was faster, its manifest is the run."""
    watch.check()
    howto.store_beside(plan.store)
    try:
        plan.store.put_once(manifest_key(plan.run), encode(manifest, plan.signer))
    except AlreadyStored:
        watch.log("Another attempt stored the manifest first; its copy is the run.")
        return decode(plan.store.get(manifest_key(plan.run)), plan.signer.verifier if plan.signer else None)
    for text in fallen_back(manifest):
        watch.log(text)
    watch.log(f"Stored {counted(len(manifest.segments), 'segment')} and the manifest in {plan.store}.")
    return manifest


def _copy(leader: Connection, spec: PolicySpec, plan: ExportPlan, watch: Watch) -> Manifest:
    facts = postgres.facts(leader)
    refuse([*filter(None, [too_new(facts.version // 10000)])])
    refuse(postgres.problems(facts, plan.last_identity, plan.last_timeline))
    with postgres.connect(plan.dsn) as guard:
        snapshot, catalog = locked_snapshot(leader, guard, spec)
        if plan.room_for_drill:
            refuse(disk_space.problems(sum(table.size_bytes for table in catalog.data_tables)))
        largest = largest_value(leader, catalog.data_tables)
        refuse(disk_space.value_problems(largest.bytes, largest.table))
        watch.log(f"Snapshot {snapshot.id} at {snapshot.taken_at}: {counted(len(catalog.data_tables), 'table')}.")
        place = Place(plan.store, plan.prefix, plan.recipients)
        whole = any(name.endswith("*") for name in spec.tables)
        work = TableJobs(_filled(catalog.data_tables, spec), spec, plan.prefix, watch)
        crew = Crew(plan.dsn, snapshot.id, plan.store, plan.recipients, plan.evidence)
        with crew.at_work(plan.connections if work.weight >= PARALLEL_FROM_BYTES else 1):  # begins meanwhile
            described = copy_schema(leader, plan.dsn, snapshot.id, catalog.tables, whole, place, watch)
            schema = with_large_objects(leader, described, whole, place, watch)
            chained = [table for table in catalog.data_tables if plan.evidence and postgres.has_chain(table)]
            chains = {table.qualified: _heads(leader, table) for table in chained}
            segments = _segments(leader, crew, work, watch)
    return Manifest(
        run=plan.run,
        fence=plan.fence,
        environment=spec.environment,
        policy=spec.name,
        source=source_of(facts, snapshot),
        tables=tuple(
            _table(t, spec, segments.get(t.qualified, []), chains.get(t.qualified)) for t in catalog.data_tables
        ),
        statements=schema.statements,
        recipients=plan.recipients,
        tool=TOOL,
        ledger_entries=plan.ledger_entries,
        ledger_head=plan.ledger_head,
        previous_sha256=plan.previous_sha256,
        objects=schema.objects,
        surroundings=schema.surroundings,
        not_covered=schema.not_covered,
    )


def _filled(tables: Sequence[postgres.Table], spec: PolicySpec) -> list[tuple[int, postgres.Table]]:
    return [(number, table) for number, table in enumerate(tables) if table.qualified not in spec.without_rows]


def _segments(leader: Connection, crew: Crew, work: TableJobs, watch: Watch) -> dict[str, list[Segment]]:
    spoken = time.monotonic()
    for job, segments in crew.run(work.jobs(len(crew.members))):
        watch.check()
        if time.monotonic() > spoken + BEAT_SECONDS:
            leader.execute("SELECT 1")
            spoken = time.monotonic()
        work.done(job, segments)
    return work.segments


def _heads(leader: Connection, table: postgres.Table) -> tuple[Head, ...]:
    return tuple(Head(h.chain, h.rows, h.first, h.last, h.head) for h in postgres.chain_heads(leader, table.key))


def _table(table: postgres.Table, spec: PolicySpec, segments: list[Segment], chains: tuple[Head, ...] | None) -> Table:
    columns = tuple(Column(column.name, column.type, column.hashed_as) for column in table.stored_columns)
    fmt = FORMAT if table.unplanned else spec.format_of(table.name, table.binary_io)
    ordered = tuple(sorted(segments, key=lambda segment: segment.key))
    return Table(table.schema, table.name, fmt, table.named and spec.by_a_person, columns, ordered, chains)
