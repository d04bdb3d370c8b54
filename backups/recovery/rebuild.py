"""Rows from what lies in a store: environments, policies, runs, segments and proofs that the portal does not know.

In: a store whose manifests are signed. Out: rows, and sentences about what could not be believed. Nothing in the store
is changed. An operation is made for each run, because a run belongs to one; it says that it was rebuilt.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from backups.archive import keys, tombstone
from backups.archive.manifest import Manifest
from backups.archive.reader import Inventory, load, proofs
from backups.archive.signed_json import ManifestError
from backups.models import Policy, Proof, Run, Segment
from backups.models.proof import reason_of
from backups.models.run import RunStatus, segment_rows
from backups.policies.defaults import ensure_policies
from backups.policies.portal import ensure
from operations.accounts import SYSTEM, system_user
from operations.engine import kinds
from operations.engine.sealing import content_sha256
from operations.kinds.unasked_environment import seen
from operations.models import Operation, Status
from operations.models.environment import PORTAL
from operations.periodic.clock import database_time
from providers.errors import Refused
from providers.storage.base import Store

SAID = "Rebuilt from the store by sampelit-ops recover."


def add_missing(store: Store, listing: Inventory) -> tuple[list[str], list[str]]:
    """Rows for runs that ended in the store but not here; the ids that were added, and what was not believed."""
    open_still = [RunStatus.RUNNING, RunStatus.STORED]
    known = set(Run.objects.exclude(status__in=open_still).values_list("pk", flat=True))
    added, problems = [], []
    for pk in listing.runs:
        if pk in known:
            continue
        try:
            manifest = load(store, pk, keys.verifier())
        except ManifestError as error:
            problems.append(f"run {pk} was left out: its manifest was rejected ({error})")
            continue
        with transaction.atomic():
            add(store, manifest)
        added.append(pk)
    return added, problems


def judge_again(store: Store, listing: Inventory, taken: datetime) -> int:
    """Runs that were proven, or found bad, after the copy of the portal was taken: the newest proof counts."""
    since = taken.astimezone(UTC).strftime("%Y%m%dT%H%M%S")
    later = [run for run, at in listing.proofs.items() if at > since]
    settled = [RunStatus.PROVEN, RunStatus.SUSPECT, RunStatus.FAILED]
    count = 0
    for run in Run.objects.filter(pk__in=later, status__in=settled):
        try:
            manifest = load(store, run.pk, keys.verifier())
        except ManifestError:
            continue
        with transaction.atomic():
            count += _proof(run, manifest, store)
    return count


def add(store: Store, manifest: Manifest) -> Run:
    """One run as its manifest and its newest proof tell it; one that was half-way when the copy was taken ends."""
    run = Run.objects.filter(pk=manifest.run).first() or _new(manifest, store)
    at = datetime.fromisoformat(manifest.source.taken_at)
    Run.objects.filter(pk=run.pk).update(
        status=RunStatus.STORED,
        store_url=store.url,
        fence=manifest.fence,
        manifest_sha256=manifest.sha256,
        system_identifier=manifest.source.system_identifier,
        timeline=manifest.source.timeline or None,
        snapshot_at=at,
        stored_at=at,
        tables=[table.qualified for table in manifest.tables],
        rows=manifest.rows,
        raw_bytes=manifest.raw_bytes,
        stored_bytes=manifest.stored_bytes,
        reason="",
    )
    Segment.objects.filter(run=run).delete()
    Segment.objects.bulk_create(segment_rows(run, manifest))
    _proof(run, manifest, store)
    return run


def _proof(run: Run, manifest: Manifest, store: Store) -> bool:
    """Take over the newest proof; whether it changed the run's state is the answer."""
    verdicts = [
        proof for proof in proofs(store, run.pk, keys.verifier()) if proof["manifest_sha256"] == manifest.sha256
    ]
    if not verdicts:
        Run.objects.filter(pk=run.pk).update(reason=f"No proof lies in the store. {SAID}", ended_at=run.started_at)
        return False
    body = verdicts[-1]
    at, status, seconds = datetime.fromisoformat(body["at"]), str(body["status"]), float(body["milliseconds"]) / 1000
    fields = {"proven_at": at} if status == RunStatus.PROVEN else {}
    values = {"status": status, "document": body, "seconds": seconds, "created_at": at}
    Proof.objects.update_or_create(run=run, operation=run.operation, defaults=values)
    current = Run.objects.values_list("status", flat=True).get(pk=run.pk)
    ended = {"ended_at": at, "proof_seconds": seconds, "reason": reason_of(body), **fields}
    if current == status:
        Run.objects.filter(pk=run.pk).update(reason=reason_of(body))
        return False
    return Run.objects.advance(run.pk, current, status, **ended)


def _new(manifest: Manifest, store: Store) -> Run:
    policy = _policy(manifest)
    at = datetime.fromisoformat(manifest.source.taken_at)
    operation = _operation(policy, at)
    return Run.objects.create(id=manifest.run, operation=operation, policy=policy, store_url=store.url, started_at=at)


def _policy(manifest: Manifest) -> Policy:
    if manifest.environment == PORTAL:
        return ensure()
    kind = "production" if manifest.environment == "production" else "staging"
    environment, new = seen(manifest.environment, name=manifest.environment.title(), kind=kind, by=SYSTEM)
    if new:
        ensure_policies(environment)
    named = [table.qualified for table in manifest.tables if table.named]
    tables = named or [table.qualified for table in manifest.tables]
    policy, _ = Policy.objects.get_or_create(
        environment=environment, name=manifest.policy, defaults={"tables": tables, "description": SAID}
    )
    return policy


def _operation(policy: Policy, at: datetime) -> Operation:
    """An export that ended; it passes through its states, because the database lets none be born ended."""
    parameters = {"policy": policy.name}
    operation = Operation.objects.create(
        kind="backups.export",
        environment=policy.environment,
        subject=policy.name,
        parameters=parameters,
        content_sha256=content_sha256(kinds.get("backups.export"), policy.environment, parameters),
        risk="routine",
        approvals_required=0,
        reason=SAID,
        channel="recover",
        requested_by=system_user("backups.request_export"),
        requested_at=at,
        expires_at=at + timedelta(hours=72),
        status=Status.QUEUED,
    )
    Operation.objects.advance(operation.pk, Status.QUEUED, Status.RUNNING, started_at=at)
    Operation.objects.advance(
        operation.pk, Status.RUNNING, Status.SUCCEEDED, outcome=Status.SUCCEEDED, ended_at=at, result={"rebuilt": True}
    )
    return operation


def rest(now: datetime) -> None:
    """Holds placed after the copy are lost with the portal: for thirty days retention leaves every run alone."""
    Run.objects.filter(purging_at=None).exclude(stored_at=None).update(brought_back_at=now)


def mark_purged(store: Store, found: Inventory) -> int:
    """Runs whose data retention deleted after the copy was taken; a manifest that is none stops nothing."""
    count = 0
    for run in Run.objects.filter(pk__in=found.purged, purged_at=None):
        note = _purged(store, run.pk)
        if note is not None:
            at = datetime.fromisoformat(str(note["at"]))
            retired = run.retired_at or at
            Run.objects.filter(pk=run.pk).update(retired_at=retired, purging_at=at, purged_at=at)
            count += 1
    return count


def _purged(store: Store, run: str) -> dict[str, Any] | None:
    try:
        return tombstone.noted(store, load(store, run, keys.verifier()), keys.verifier())
    except (ManifestError, Refused):
        return None


def end_what_was_open(at: datetime) -> int:
    """Whatever waited or ran when the copy was taken may have happened since: it ends, and is asked for anew."""
    reason = f"The portal came back from a copy of {at:%Y-%m-%d %H:%M} UTC, when this had not ended. Request it again."
    ended = {"ended_at": database_time(), "error": reason, "sealed": "", "lease_owner": "", "lease_until": None}
    count = 0
    for status in (Status.AWAITING_APPROVAL, Status.QUEUED, Status.RUNNING):
        for pk in Operation.objects.filter(status=status).values_list("pk", flat=True):
            count += Operation.objects.advance(pk, status, Status.EXPIRED, **ended)
    return count
