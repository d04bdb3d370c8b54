"""The step `prove`: a stored run is drilled and compared, its verdict written down. In: a context. Out: a Proof row."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from backups.archive import keys
from backups.export.steps import run_of
from backups.facts import store as facts_store
from backups.facts.model import document_of
from backups.models import Proof, Run
from backups.models.run import RunStatus
from backups.proof import outcome
from backups.proof.prove import Verdict, as_document, prove, rejected, store_document
from backups.step_support import record_run, watch
from backups.stores.trusted_manifest import Rejected, store_of, trusted_manifest
from operations.engine.claim import lock
from operations.engine.context import StepContext
from operations.models import Environment
from providers.errors import ProviderError


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
    store_document(store_of(run), done.document, keys.signer())
    if done.status not in enough:
        raise ProviderError(f"Run {run.pk} is {done.status}: " + " ".join(done.problems))


def _drill(ctx: StepContext, run: Run) -> Verdict:
    store = store_of(run)
    manifest = trusted_manifest(run, store)
    last = None if ctx.environment.kind == Environment.Kind.PORTAL else outcome.last_good(run)
    known = outcome.accepted(ctx.environment, last)
    ctx.log(f"Restoring {manifest.rows} rows of {len(manifest.tables)} tables into a throwaway server.")
    previous, problem = outcome.earlier_manifest(last)
    earlier = store_of(last) if last else None
    verdict = prove(
        manifest, store, keys.identities(), watch(ctx), previous, earlier, known,
        earlier_facts=facts_store.earlier(earlier, previous, keys.verifier(), watch(ctx)),
    )  # fmt: skip
    return outcome.judged(verdict, run, last, known, problem)


def _write_down(ctx: StepContext, run: Run, verdict: Verdict) -> Proof:
    seconds = verdict.milliseconds / 1000
    evidence = facts_store.leave(store_of(run), document_of(verdict.facts), keys.signer())
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
        record_run(ctx, run, f"backups.export.{verdict.status}", rows=verdict.rows, chains=verdict.chains, **reasons)
        outcome.raise_all(run, verdict)
    return proof
