"""The step `prove`: a stored run is drilled and compared, its verdict written down. In: a context. Out: a Proof row."""

from __future__ import annotations

from django.db import transaction

from backups.archive import keys
from backups.export.steps import run_of
from backups.facts import store as facts_store
from backups.facts.model import document_of
from backups.models import Proof, Run
from backups.models.proof import reason_of
from backups.models.run import RunStatus
from backups.proof import outcome
from backups.proof.baseline import comparison_for
from backups.proof.comparison import NOTHING_BEFORE, Comparison
from backups.proof.prove import Verdict, as_document, prove, rejected, store_document
from backups.step_support import record_run, watch
from backups.stores.trusted_manifest import Rejected, store_of, trusted_manifest
from operations.engine.claim import lock
from operations.engine.context import StepContext
from operations.periodic.clock import database_time
from providers.counting import counted
from providers.errors import ProviderError


def prove_step(ctx: StepContext) -> None:
    """Restore and compare; ends with the run proven, or raises with the reasons after writing them down."""
    prove_run(ctx, run_of(ctx))


def prove_run(ctx: StepContext, run: Run, enough: tuple[str, ...] = (Proof.Status.PROVEN,)) -> None:
    """Prove one run; raises with the reasons unless the verdict is `enough`."""
    done = Proof.objects.filter(run=run, operation=ctx.operation).first()
    if done is None:
        done = _write_down(ctx, run, *_drill(ctx, run))
    store_document(store_of(run), done.document, keys.signer())
    if done.status not in enough:
        raise ProviderError(f"{run} is {done.status}: " + " ".join(done.problems))


def _drill(ctx: StepContext, run: Run) -> tuple[Verdict, Comparison]:
    """The verdict, and what it was compared with; a manifest that cannot be trusted is compared with nothing."""
    store = store_of(run)
    try:
        manifest = trusted_manifest(run, store)
    except Rejected as error:
        return rejected(run.pk, run.manifest_sha256, error.message), NOTHING_BEFORE
    tables = counted(len(manifest.tables), "table")
    ctx.log(f"Restoring {counted(manifest.rows, 'row')} of {tables} into a throwaway server.")
    comparison = comparison_for(run, watch(ctx))
    verdict = prove(manifest, store, keys.identities(), watch(ctx), comparison)
    return outcome.judged(verdict, run, comparison), comparison


def _write_down(ctx: StepContext, run: Run, verdict: Verdict, comparison: Comparison) -> Proof:
    seconds = verdict.milliseconds / 1000
    evidence = facts_store.leave(store_of(run), document_of(verdict.facts), keys.signer())
    with transaction.atomic():
        lock(ctx.lease)
        document = as_document(verdict)
        reason = reason_of(document)
        fields = {"proof_seconds": seconds, "ended_at": database_time(), "reason": reason}
        if verdict.status == RunStatus.PROVEN:
            fields["proven_at"] = database_time()
        outcome.lock(run, comparison)
        current = Run.objects.select_for_update().get(pk=run.pk).status
        if current != verdict.status:
            Run.objects.advance(run.pk, current, verdict.status, **fields)
        else:
            Run.objects.filter(pk=run.pk).update(reason=reason)
        proof = Proof.objects.create(
            run=run,
            operation=ctx.operation,
            status=verdict.status,
            document=document,
            seconds=seconds,
            evidence=evidence,
        )
        told = [*verdict.reasons, *proof.in_part]
        reasons = {"reasons": told} if told else {}
        record_run(ctx, run, f"backups.export.{proof.word}", rows=verdict.rows, chains=verdict.chains, **reasons)
        outcome.raise_all(run, verdict, comparison)
    return proof
