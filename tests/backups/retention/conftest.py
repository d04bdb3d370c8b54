"""A policy with six proven runs, two of them retired long ago; somebody who may ask for retention, and does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from backups.archive.manifest import OLD_FORMAT, Column, Manifest, Segment, Statement, Table, manifest_key
from backups.archive.signatures import generate, load_signer, sha256
from backups.archive.signed_json import encode
from backups.archive.source import Source
from backups.models import Policy, Run
from backups.models import Segment as SegmentRow
from backups.models.run import segment_rows
from backups.proof.prove import Verdict, store_proof
from operations.models import Environment, Operation
from operations.models.ulid import new_ulid
from providers.storage.base import Store
from providers.storage.factory import open_store
from tests.running import run_once
from tests.stepping import request

POOLS = frozenset({"export", "prove"})


@pytest.fixture
def policy(settings, tmp_path: Path) -> Policy:
    settings.BACKUP_STORE = f"file://{tmp_path}/store"
    settings.BACKUP_SIGNING_KEY = generate()[0]
    environment = Environment.objects.create(slug="production", name="P", kind="production", protected=True)
    return Policy.objects.create(
        environment=environment,
        name="audit-trail",
        tables=["a"],
        keep_last=3,
        keep_daily=0,
        keep_weekly=0,
        keep_monthly=0,
        keep_yearly=0,
    )


@pytest.fixture
def store(settings) -> Store:
    return open_store(settings.BACKUP_STORE)


@pytest.fixture
def olga() -> User:
    user = User.objects.create_user("olga", is_staff=True)
    wanted = Permission.objects.filter(codename__in=["apply_retention", "request_restore", "verify_run"])
    user.user_permissions.set(wanted)
    return user


@pytest.fixture
def act(policy: Policy, olga: User) -> Callable[..., Operation]:
    def act(kind: str, **parameters: str) -> Operation:
        parameters = parameters or {"policy": policy.name}
        operation = request(kind, by=olga, environment=policy.environment, parameters=parameters, reason="test")
        return run_once(operation, POOLS)

    return act


def stored(policy: Policy, store: Store, days: float, settings, status: str = "proven", **fields: object) -> Run:
    """A run of two small segments with manifest and proof, as an export leaves it."""
    user, _ = User.objects.get_or_create(username="sylvia")
    operation = Operation.objects.create(
        kind="backups.export",
        environment=policy.environment,
        requested_by=user,
        risk="routine",
        approvals_required=0,
        content_sha256="0" * 64,
        status="queued",
        expires_at=timezone.now(),
        seeded=False,
    )
    Operation.objects.filter(pk=operation.pk).update(status="cancelled")
    run, at = new_ulid(), timezone.now() - timedelta(days=days)
    segments = []
    for number in range(2):
        data = f"{run} {number}".encode()
        key = f"runs/{run}/1/000-a/{number:010d}-000.csv.zst"
        store.put_once(key, data)
        part = [("(0,0)", "(1,0)"), ("(1,0)", "")][number]
        segments.append(Segment(key, *part, 1, "1", 1, "0" * 64, len(data), sha256(data), False))
    table = Table("public", "a", "csv", True, (Column("id", "bigint", "value"),), tuple(segments))
    source = Source("d", "r", "17", "1", 1, "1", "2", "0/0", at.isoformat())
    made = (Statement("before", "table", "public.a", "CREATE TABLE public.a (id bigint)", True, "public.a"),)
    manifest = Manifest(run, 1, policy.environment.slug, policy.name, source, (table,), made, format=OLD_FORMAT)
    signer = load_signer(settings.BACKUP_SIGNING_KEY)
    store.put_once(manifest_key(run), encode(manifest, signer))
    verdict = Verdict(
        run, manifest.sha256, at.isoformat(), (), () if status == "proven" else ("odd",), 2, 2, 0, 9, "17"
    )
    store_proof(store, verdict, signer)
    row = Run.objects.create(
        id=run,
        operation=operation,
        policy=policy,
        status=status,
        store_url=settings.BACKUP_STORE,
        fence=1,
        manifest_sha256=manifest.sha256,
        snapshot_at=at,
        started_at=at,
        stored_at=at,
        stored_bytes=99,
        proven_at=at if status == "proven" else None,
        **fields,
    )
    SegmentRow.objects.bulk_create(segment_rows(row, manifest))
    return row


@pytest.fixture
def history(policy: Policy, store: Store, settings) -> list[Run]:
    """Six proven runs, newest first; the last two were retired ten days ago."""
    long_ago = timezone.now() - timedelta(days=10)
    runs = [stored(policy, store, days, settings) for days in (0.1, 1, 2, 3)]
    return runs + [stored(policy, store, days, settings, retired_at=long_ago) for days in (20, 21)]
