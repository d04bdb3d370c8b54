"""The steps of `backups.export`: copy (pool export), prove (pool prove), settle (always). In: a context. Out: rows.

Each step may be repeated from its beginning: the store's manifest and the run's status say what is already done.
"""

from __future__ import annotations

import time

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from backups import judging, keyring, locking, placing, portal
from backups.evidence import stored
from backups.evidence.facts import document_of
from backups.export import ExportPlan, export
from backups.models import Policy, Proof, Run, Segment
from backups.models.run import RunStatus, segment_rows
from backups.progress import Watch
from backups.proof import Verdict, as_document, prove, rejected, store_document
from backups.trust import Rejected, store_of, trusted_manifest
from ledger.models import Head
from ledger.services import record
from operations.dsns import export_dsn
from operations.engine.claim import lock, write
from operations.engine.context import StepContext
from operations.models import Environment
from providers import postgres
from providers.errors import ProviderError


def watch(ctx: StepContext) -> Watch:
    return Watch(ctx.progress, ctx.check, ctx.log)


def held_watch(ctx: StepContext) -> Watch:
    """For writes outside the portal: its check asks the portal's database whether the lease is still ours."""

    def check() -> None:
        ctx.check()
        write(ctx.lease, fence=ctx.fence)

    return Watch(ctx.progress, check, ctx.log, ctx.operation.pk)


def run_of(ctx: StepContext) -> Run:
    """The one run of this operation and policy; created at the first attempt."""
    policy = Policy.objects.select_related("environment").get(
        environment=ctx.environment, name=ctx.parameters.get("policy", "")
    )
    found, _ = Run.objects.select_related("policy__environment", "operation").get_or_create(
        operation=ctx.operation, policy=policy, defaults={"store_url": settings.BACKUP_STORE}
    )
    return found


def copy(ctx: StepContext) -> None:
    """Copy a snapshot into the store; ends with the manifest stored and the run `stored`."""
    copy_run(ctx, run_of(ctx))


def copy_run(ctx: StepContext, run: Run) -> None:
    ctx.result(run=run.pk)
    if run.status != RunStatus.RUNNING:
        return
    began = time.monotonic()
    keyring.refuse_single_recipient(keyring.recipients())
    run = placing.placed(ctx, run)
    last = Run.objects.counting().filter(policy=run.policy).order_by("-proven_at").first()
    manifest = export(run.policy.spec(), _plan(ctx, run, last), watch(ctx))
    kept = locking.read_back(manifest, store_of(run))
    note = postgres.timeline_note(manifest.source.timeline, last.timeline_for_next if last else 0)
    warnings = [text for text in (*run.warnings, kept.warning, note) if text]
    fields = {**placing.stored_fields(manifest, began), "retained_until": kept.until, "lock_mode": kept.mode}
    with transaction.atomic():
        lock(ctx.lease)
        Run.objects.advance(run.pk, RunStatus.RUNNING, RunStatus.STORED, **fields, warnings=warnings)
        Segment.objects.bulk_create(segment_rows(run, manifest))
        if note:
            placing.tell(run, note)
        _record(
            ctx, run, "backups.export.stored", rows=manifest.rows, manifest=manifest.sha256, **placing.said(warnings)
        )


def _plan(ctx: StepContext, run: Run, last: Run | None) -> ExportPlan:
    portal.refuse_in_clear(ctx.environment)
    head = Head.objects.filter(pk=1).first()
    return ExportPlan(
        run=run.pk,
        dsn=export_dsn(ctx.environment),
        store=store_of(run),
        fence=ctx.fence,
        recipients=keyring.recipients(),
        signer=keyring.signer(),
        room_for_drill=not keyring.recipients() or bool(keyring.identities()),
        last_identity=last.identity_for_next if last else "",
        last_timeline=last.timeline_for_next if last else 0,
        previous_sha256=last.manifest_sha256 if last else "",
        ledger_entries=head.sequence if head else 0,
        ledger_head=head.sha256 if head else "",
    )


def prove_step(ctx: StepContext) -> None:
    """Restore and compare; ends with the run proven, or raises with the reasons after writing them down."""
    prove_run(ctx, run_of(ctx))


def prove_run(ctx: StepContext, run: Run, enough: tuple[str, ...] = (Proof.Status.PROVEN,)) -> None:
    """Prove one run; raises with the reasons unless the verdict is `enough`."""
    done = Proof.objects.filter(run=run, operation=ctx.operation).first()
    if done is None:
        try:
            verdict = _drill(ctx, run)
        except Rejected as error:
            verdict = rejected(run.pk, run.manifest_sha256, error.message)
        done = _write_down(ctx, run, verdict)
    store_document(store_of(run), done.document, keyring.signer())
    if done.status not in enough:
        raise ProviderError(f"Run {run.pk} is {done.status}: " + " ".join(done.problems))


def _drill(ctx: StepContext, run: Run) -> Verdict:
    store = store_of(run)
    manifest = trusted_manifest(run, store)
    last = None if ctx.environment.kind == Environment.Kind.PORTAL else judging.last_good(run)
    known = judging.accepted(ctx.environment, last)
    ctx.log(f"Restoring {manifest.rows} rows of {len(manifest.tables)} tables into a throwaway server.")
    previous, problem = judging.earlier_manifest(last)
    earlier = store_of(last) if last else None
    verdict = prove(
        manifest, store, keyring.identities(), watch(ctx), previous, earlier, known,
        earlier_facts=stored.earlier(earlier, previous, keyring.verifier(), watch(ctx)),
    )  # fmt: skip
    return judging.judged(verdict, run, last, known, problem)


def _write_down(ctx: StepContext, run: Run, verdict: Verdict) -> Proof:
    seconds = verdict.milliseconds / 1000
    evidence = stored.leave(store_of(run), document_of(verdict.facts), keyring.signer())
    with transaction.atomic():
        lock(ctx.lease)
        fields = {"proof_seconds": seconds, "ended_at": timezone.now(), "reason": " ".join(verdict.reasons)}
        if verdict.status == RunStatus.PROVEN:
            fields["proven_at"] = timezone.now()
        current = Run.objects.select_for_update().get(pk=run.pk).status
        if current != verdict.status:
            Run.objects.advance(run.pk, current, verdict.status, **fields)
        proof = Proof.objects.create(
            run=run, operation=ctx.operation, status=verdict.status, document=as_document(verdict), seconds=seconds,
            evidence=evidence,
        )  # fmt: skip
        reasons = {"reasons": verdict.reasons} if verdict.reasons else {}
        _record(ctx, run, f"backups.export.{verdict.status}", rows=verdict.rows, chains=verdict.chains, **reasons)
        judging.raise_all(run, verdict)
    return proof


def settle(ctx: StepContext) -> None:
    """Whatever happened, no run stays `running` after its operation, and an unproven one says why."""
    reason = ctx.operation.error or "The operation was cancelled."
    with transaction.atomic():
        lock(ctx.lease)
        for run in Run.objects.filter(operation=ctx.operation, status__in=[RunStatus.RUNNING, RunStatus.STORED]):
            if run.status == RunStatus.STORED:
                Run.objects.filter(pk=run.pk).update(
                    reason=f"The proof did not happen: {reason}", ended_at=timezone.now()
                )
                continue
            Run.objects.advance(run.pk, RunStatus.RUNNING, RunStatus.FAILED, reason=reason, ended_at=timezone.now())
            _record(ctx, run, "backups.export.failed", reason=reason)


def _record(ctx: StepContext, run: Run, code: str, **data: object) -> None:
    record(
        code,
        actor=ctx.operation.requested_by.username,
        environment=ctx.environment.slug,
        subject=run.pk,
        data={"operation": ctx.operation.pk, "policy": run.policy.name, **data},
        seeded=ctx.operation.seeded,
    )
