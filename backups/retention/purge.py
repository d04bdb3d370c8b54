"""The step that deletes: the segments of runs that were retired long enough. Manifests, schemas, proofs, notes stay.

In: a step context, the reaper's key. Out: deleted objects, a signed note beside each run, ledger entries. It is decided
again under the run's lock, so a hold or a restore that came meanwhile wins.
"""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from backups.archive import keys, tombstone
from backups.archive.manifest import Manifest
from backups.models import Policy, Run
from backups.retention.facts import clock, incomplete, looked_at, planned
from backups.retention.steps import policy_of, record_retention, refuse
from backups.stores import configured
from backups.stores.trusted_manifest import Rejected, store_of, trusted_manifest
from operations.engine.claim import lock
from operations.engine.context import StepContext
from providers.counting import counted
from providers.errors import ProviderError, Refused
from providers.storage.base import Store
from providers.storage.factory import open_reaper, open_store


def purge(ctx: StepContext) -> None:
    """Delete the segments of every run that is due; a repeated step goes on where the last one ended."""
    policy = policy_of(ctx)
    plan, missing = looked_at(policy)
    refuse(plan.refused, "deleted")
    waits = _waits(policy, plan.due)
    if waits:
        ctx.result(policy=policy.name, purged=[], waiting=waits)
        ctx.log(f"Due: {counted(len(plan.due), 'run')}. {waits}")
        return
    done: list[str] = ctx.state.setdefault("purged", [])
    for number, pk in enumerate(plan.due, 1):
        ctx.progress(number, len(plan.due), "runs", pk)
        if _purge(ctx, policy, pk, missing):
            done.append(pk)
            ctx.save_state()
    ctx.result(policy=policy.name, purged=done)
    ctx.log(f"The data of {counted(len(done), 'run')} is deleted.")


def _waits(policy: Policy, due: list[str]) -> str:
    """Why this worker cannot delete although runs are due: it holds no reaper's key."""
    urls = Run.objects.filter(pk__in=due).values_list("store_url", flat=True).distinct()
    second = configured.second_url(policy)
    try:
        for url in filter(None, [*urls, second]):
            _reaper(url)
    except Refused as refusal:
        return refusal.reason
    return ""


def _purge(ctx: StepContext, policy: Policy, pk: str, missing: frozenset[str]) -> bool:
    run = Run.objects.select_related("policy__environment").get(pk=pk)
    try:
        manifest = trusted_manifest(run, store_of(run))
    except Rejected as error:
        ctx.log(f"{run} stays, it is evidence: {error.message}")
        return False
    places = [(store_of(run), _reaper(run.store_url or settings.BACKUP_STORE)), *_second(ctx, run)]
    if run.purging_at is None:
        if incomplete([run]):
            ctx.log(f"{run} stays, it is evidence: somebody else removed objects of it.")
            return False
        _read_locks(run, manifest, [store for store, _ in places])
    if not _begin(ctx, policy, pk, missing):
        return False
    _try_first(run, manifest, places[0][1])
    for store, reaper in places:
        tombstone.leave(store, manifest, ctx.operation.pk, clock().database, keys.signer())
        _delete(ctx, manifest, reaper)
    with transaction.atomic():
        lock(ctx.lease)
        Run.objects.filter(pk=pk).update(purged_at=clock().database)
        record_retention(
            ctx,
            "backups.run.purged",
            pk,
            policy=policy.name,
            run_name=str(run),
            objects=len(manifest.segments),
            bytes=manifest.stored_bytes,
            manifest=manifest.sha256,
        )
    return True


def _read_locks(run: Run, manifest: Manifest, stores: list[Store]) -> None:
    """Write down until when the stores themselves refuse to delete, as they say it now."""
    problem = [store.retention_of(segment.key) for store in stores for segment in manifest.segments]
    until = max(filter(None, problem), default=None)
    if until is not None and until > clock().database:
        Run.objects.filter(pk=run.pk).update(retained_until=until)


def _begin(ctx: StepContext, policy: Policy, pk: str, missing: frozenset[str]) -> bool:
    """Decide once more with the run locked, then say that its data is going; from here on nobody may restore it."""
    with transaction.atomic():
        lock(ctx.lease)
        run = Run.objects.select_for_update(of=("self",)).select_related("policy__environment").get(pk=pk)
        again = planned(policy, missing)
        refuse(again.refused, "deleted")
        if pk not in again.due:
            line = next(line for line in again.lines if line.run == pk)
            ctx.log(f"{run} stays: {', '.join(line.reasons)}.")
            return False
        if run.purging_at is None:
            Run.objects.filter(pk=pk).update(purging_at=clock().database)
    ctx.log(f"{run}: deleting its segments.")
    return True


def _try_first(run: Run, manifest: Manifest, reaper: Store) -> None:
    """Delete one object; where that is refused, nothing is gone and the run is as it was.

    Where the answer was lost, nobody knows whether it is gone: then the deletion stays begun, and is gone on with.
    """
    try:
        for segment in manifest.segments[:1]:
            reaper.delete(segment.key)
    except ProviderError as error:
        if not error.retryable:
            Run.objects.filter(pk=run.pk, purged_at=None).update(purging_at=run.purging_at)
        problem = f"{error.message} The reaper's key is BACKUP_REAPER_AWS_ACCESS_KEY_ID."
        raise ProviderError(problem, retryable=error.retryable) from None


def _delete(ctx: StepContext, manifest: Manifest, reaper: Store) -> None:
    """Only segments that the manifest names; whatever else lies beside them is evidence."""
    for number, segment in enumerate(manifest.segments, 1):
        ctx.check()
        if not segment.key.startswith(manifest.prefix) or segment.key.endswith(".json"):
            raise ProviderError(f"{segment.key} is no segment of {manifest.name}. It was not deleted.")
        reaper.delete(segment.key)
        ctx.progress(number, len(manifest.segments), "objects", manifest.run)
    for item in list(reaper.list(f"runs/{manifest.run}/kept/")):
        if not item.key.endswith(".json"):
            reaper.delete(item.key)
    left = {item.key for item in reaper.list(manifest.prefix)} & {segment.key for segment in manifest.segments}
    if left:
        raise ProviderError(f"{reaper} still shows {len(left)} objects of {manifest.name} after their deletion.")


def _second(ctx: StepContext, run: Run) -> list[tuple[Store, Store]]:
    """The copy in the second store goes too, where this worker can reach it."""
    url = configured.other_url(run)
    if run.mirrored_at and not url:
        ctx.log(f"{run.policy.second_store_env or 'The second store'} is not set here: {run} stays there.")
    return [(open_store(url), _reaper(url))] if run.mirrored_at and url else []


def _reaper(url: str) -> Store:
    return open_reaper(url, settings.BACKUP_REAPER_AWS_ACCESS_KEY_ID, settings.BACKUP_REAPER_AWS_SECRET_ACCESS_KEY)
