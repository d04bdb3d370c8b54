"""The steps of `backups.export`: copy (pool export), prove (pool prove), settle (always). In: a context. Out: rows.

Each step may be repeated from its beginning: the store's manifest and the run's status say what is already done.
"""

from __future__ import annotations

import time
from datetime import datetime

import psycopg
from django.conf import settings
from django.db import transaction

from backups.archive import keys
from backups.archive.manifest import Manifest
from backups.export.exporter import ExportPlan, export
from backups.export.fallback import fallen_back
from backups.models import Policy, Run, Segment
from backups.models.run import RunStatus, segment_rows
from backups.policies import outside, portal
from backups.step_support import record_run, watch
from backups.stores import configured, object_lock
from backups.stores.trusted_manifest import store_of
from ledger.models import Head
from operations.dsns import export_dsn
from operations.engine.claim import lock
from operations.engine.context import StepContext
from operations.navigation import page_of
from operations.notify import enqueue
from operations.periodic.clock import database_time
from providers import postgres
from providers.errors import ProviderError


def run_of(ctx: StepContext) -> Run:
    """The one run of this operation and policy; created at the first attempt."""
    policy = Policy.objects.select_related("environment").get(
        environment=ctx.environment, name=ctx.parameters.get("policy", "")
    )
    run, _ = Run.objects.select_related("policy__environment", "operation").get_or_create(
        operation=ctx.operation, policy=policy, defaults={"store_url": settings.BACKUP_STORE}
    )
    return run


def copy(ctx: StepContext) -> None:
    """Copy a snapshot into the store; ends with the manifest stored and the run `stored`."""
    copy_run(ctx, run_of(ctx))


def copy_run(ctx: StepContext, run: Run) -> None:
    ctx.result(run=run.pk)
    if run.status != RunStatus.RUNNING:
        return
    began = time.monotonic()
    keys.refuse_single_recipient(keys.recipients())
    run = placed(ctx, run)
    last = Run.objects.counting().filter(policy=run.policy).order_by("-proven_at").first()
    manifest = export(run.policy.spec(), _plan(ctx, run, last), watch(ctx))
    locked = object_lock.read_back(manifest, store_of(run))
    note = postgres.timeline_note(manifest.source.timeline, last.timeline_for_next if last else 0)
    warnings = [text for text in (*run.warnings, *fallen_back(manifest), locked.warning, note) if text]
    fields = {**stored_fields(manifest, began), "retained_until": locked.until, "lock_mode": locked.mode}
    fields["outside"] = _outside(ctx, run, manifest)
    with transaction.atomic():
        lock(ctx.lease)
        Run.objects.advance(run.pk, RunStatus.RUNNING, RunStatus.STORED, **fields, warnings=warnings)
        Segment.objects.bulk_create(segment_rows(run, manifest))
        if note:
            tell(run, note)
        record_run(ctx, run, "backups.export.stored", rows=manifest.rows, manifest=manifest.sha256, **said(warnings))


def _outside(ctx: StepContext, run: Run, manifest: Manifest) -> list[dict[str, object]]:
    """What stands besides tables; the copy is whole although nobody could look."""
    try:
        tables = [table.qualified for table in manifest.tables]
        return outside.seen_at(export_dsn(ctx.environment), run.policy.tables, tables)
    except (ProviderError, psycopg.Error) as error:
        ctx.log(f"What stands besides tables was not looked at ({type(error).__name__}); the copy is stored.")
        return []


def _plan(ctx: StepContext, run: Run, last: Run | None) -> ExportPlan:
    portal.refuse_in_clear(ctx.environment)
    head = Head.objects.filter(pk=1).first()
    return ExportPlan(
        run=run.pk,
        dsn=export_dsn(ctx.environment),
        store=store_of(run),
        fence=ctx.fence,
        recipients=keys.recipients(),
        signer=keys.signer(),
        room_for_drill=not keys.recipients() or bool(keys.identities()),
        last_identity=last.identity_for_next if last else "",
        last_timeline=last.timeline_for_next if last else 0,
        previous_sha256=last.manifest_sha256 if last else "",
        ledger_entries=head.sequence if head else 0,
        ledger_head=head.sha256 if head else "",
    )


def settle(ctx: StepContext) -> None:
    """Whatever happened, no run stays `running` after its operation, and an unproven one says why."""
    reason = ctx.operation.error or "The operation was cancelled."
    with transaction.atomic():
        lock(ctx.lease)
        for run in Run.objects.filter(operation=ctx.operation, status__in=[RunStatus.RUNNING, RunStatus.STORED]):
            if run.status == RunStatus.STORED:
                Run.objects.filter(pk=run.pk).update(
                    reason=f"The proof did not happen: {reason}", ended_at=database_time()
                )
                continue
            Run.objects.advance(run.pk, RunStatus.RUNNING, RunStatus.FAILED, reason=reason, ended_at=database_time())
            record_run(ctx, run, "backups.export.failed", reason=reason)


def placed(ctx: StepContext, run: Run) -> Run:
    """The store that is ready: the run's own, or the policy's other one while that is away."""
    url, away = configured.ready_place(run)
    if url != run.store_url:
        ctx.log(f"Storing in {url} for now. {away}")
        warning = f"Its own store was away, so it was stored in the policy's other one. {away}"
        Run.objects.filter(pk=run.pk).update(store_url=url, warnings=[warning])
        run.refresh_from_db(fields=["store_url", "warnings"])
    return run


def stored_fields(manifest: Manifest, began: float) -> dict[str, object]:
    return {
        "fence": manifest.fence,
        "manifest_sha256": manifest.sha256,
        "system_identifier": manifest.source.system_identifier,
        "timeline": manifest.source.timeline or None,
        "snapshot_at": datetime.fromisoformat(manifest.source.taken_at),
        "stored_at": database_time(),
        "tables": [table.qualified for table in manifest.tables],
        "rows": manifest.rows,
        "raw_bytes": manifest.raw_bytes,
        "stored_bytes": manifest.stored_bytes,
        "copy_seconds": round(time.monotonic() - began, 2),
    }


def said(warnings: list[str]) -> dict[str, object]:
    return {"warnings": warnings} if warnings else {}


def tell(run: Run, note: str) -> None:
    path = page_of(run)
    enqueue(
        f"backups.timeline:{run.pk}", subject=f"The database of {run.policy} changed its timeline", body=note, path=path
    )
