"""Rows of backups, deployments and the outbox for pages and browsers; nothing here reaches a provider.

In: production and an operation that succeeded. Out: a row of each model, ended well and ended badly.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from backups.models import Policy, Proof, Restore, Run, Segment, Slot, StoreReport
from backups.policies.defaults import ensure_policies
from deployments.blueprint import service as blueprint_service
from deployments.models import (
    BlueprintFile,
    ConfigFingerprint,
    Deployment,
    GroupVariable,
    HealthCheck,
    Service,
    VariableGroup,
    WebhookDelivery,
)
from operations.models import Environment, Heartbeat, Notification, Operation

SHA = "5c0e9aa1" * 8
TABLES = ["public.algorithm_audit_trail", "public.experiments"]


def backups(production: Environment, operations: dict[str, Operation]) -> None:
    """Two policies, a proven and a failed run with proofs, a restore point, a restore, four slots."""
    ensure_policies(production)
    policy, now = Policy.objects.get(environment=production, name="audit-trail"), timezone.now()
    stores()
    lock = {"retained_until": now + timedelta(days=35), "lock_mode": "COMPLIANCE", "warnings": ["It failed over."]}
    proven = _run(policy, operations["succeeded"], "proven", **lock)
    whole, ago = Policy.objects.get(environment=production, name="whole-database"), now - timedelta(days=9)
    for key, fields in (("succeeded", {}), ("failed", {"purging_at": now, "purged_at": now})):
        _run(whole, operations[key], "proven", retired_at=ago, retired_by="system", **fields)
    point = {"description": "Restore point of migration_03.sql", "tables": TABLES, "enabled": False}
    name = f"before-{operations['succeeded'].pk.lower()}"
    _run(Policy.objects.create(environment=production, name=name, **point), operations["succeeded"], "proven")
    failed = _run(policy, operations["failed"], "failed", reason="The store refused 3 objects. Nothing was published.")
    for run, status in ((proven, "proven"), (failed, "failed")):
        document = {
            "problems": [] if status == "proven" else ["public.experiments: 39 rows instead of 40"],
            "tables": [],
        }
        Proof.objects.create(run=run, operation=run.operation, status=status, document=document, seconds=11.8)
    Restore.objects.create(operation=operations["cancelled"], run=proven, target="scratch", status="succeeded", rows=40)
    for hours, status in enumerate(("proven", "late", "failed", "missed")):
        Slot.objects.create(policy=policy, at=now - timedelta(hours=hours), status=status, reason=status * (hours > 0))


def stores() -> None:
    """A bucket with everything amber or red, and the directory of the demo."""
    findings = [
        {
            "name": "write, read back, no overwrite",
            "tone": "ok",
            "found": "conditional writes hold",
            "why": "",
            "fix": "",
        },
        {"name": "delete", "tone": "warn", "found": "allowed", "why": "Thieves.", "fix": "Use the writer policy."},
        {"name": "Object Lock", "tone": "ok", "found": "retained until 2027-01-01 00:00 UTC", "why": "", "fix": ""},
    ]
    url = "s3://audit-backups/production?endpoint=https://s3.example.com&region=eu-central-1"
    StoreReport.objects.create(url=url, usable=True, findings=findings)
    away = [{"name": "write, read back, no overwrite", "tone": "bad", "found": "No answer.", "why": "", "fix": "Look."}]
    StoreReport.objects.create(url="file:///tmp/store", usable=False, findings=away)


def _run(policy: Policy, operation: Operation, status: str, **fields: object) -> Run:
    now = timezone.now()
    ends = {"stored_at": now, "proven_at": now, "manifest_sha256": SHA} if status == "proven" else {"ended_at": now}
    run = Run.objects.create(
        policy=policy,
        operation=operation,
        status=status,
        store_url="file:///tmp/store",
        fence=1,
        tables=TABLES,
        rows=1_191_840,
        raw_bytes=900_040_000,
        stored_bytes=203_009_000,
        copy_seconds=6.1,
        proof_seconds=11.8,
        snapshot_at=now,
        started_at=now - timedelta(seconds=20),
        **ends,
        **fields,
    )
    Segment.objects.create(
        run=run,
        table="public.experiments",
        position=0,
        key="runs/x/1/0.csv.zst",
        rows=40,
        digest="1",
        raw_bytes=40_000,
        raw_sha256=SHA,
        stored_bytes=9_000,
        stored_sha256=SHA,
        encrypted=False,
    )
    return run


def deployments(production: Environment) -> None:
    """A web service with three deployments, probes, a delivery and the fingerprints of two variables."""
    now = timezone.now()
    Heartbeat.objects.keep("job:deployments.poll", {})
    service = Service.objects.create(
        render_id="srv-1",
        name="sampelit-api",
        type="web_service",
        environment=production,
        branch="main",
        autodeploy=True,
        repo="https://github.com/sampelit/api",
        url="https://api.sampelit.example",
        health_check_path="/health",
        health="healthy",
        latency_ms=84,
        probed_at=now,
        version="2.4.1",
        instances=2,
        history_complete=True,
    )
    for number, status in enumerate(("live", "deactivated", "build_failed")):
        at = now - timedelta(hours=number + 1)
        Deployment.objects.create(
            service=service,
            render_id=f"dep-{number}",
            status=status,
            provider_status=status,
            trigger="new_commit",
            commit_sha=f"a1f93c2{number}" * 5,
            commit_message="Cap variant weight\n\nA longer body.",
            created_at=at,
            started_at=at,
            finished_at=at + timedelta(seconds=221),
            actor="operator",
            health="" if number else "healthy",
        )
    for minute in range(8):
        healthy = minute != 3
        HealthCheck.objects.create(
            service=service,
            deployment=service.deployments.first(),
            checked_at=now - timedelta(minutes=minute),
            healthy=healthy,
            status_code=200 if healthy else 503,
            latency_ms=80 + minute,
            detail="" if healthy else "503",
        )
    WebhookDelivery.objects.create(delivery_id="evt-1", event_type="deploy_ended", service_render_id="srv-1")
    for key in ("DATABASE_URL", "SENTRY_DSN"):
        ConfigFingerprint.objects.create(service=service, key=key, fingerprint=SHA)
    group = VariableGroup.objects.create(render_id="evg-1", name="sampelit-common")
    group.services.add(service)
    GroupVariable.objects.create(group=group, key="MAIL_FROM", fingerprint=SHA)
    Service.objects.create(
        render_id="srv-2",
        name="sampelit-web-pr-41",
        type="static_site",
        environment=production,
        created_at=now,
        parent_render_id="srv-1",
        preview_expires_at=now + timedelta(days=3),
        history_complete=True,
    )
    file = BlueprintFile.objects.create(
        environment=production,
        source="given",
        sha256=SHA,
        read_by="operator",
        valid=True,
        declared={"parts": [{"name": "sampelit-api", "settings": {"plan": "standard"}}], "groups": {}},
    )
    blueprint_service.compare_again(file)


def outbox() -> None:
    """A notification that was sent and one that could not be."""
    now = timezone.now()
    Notification.objects.create(
        dedupe_key="a", channel="email", recipients="ada@example.com", subject="Sent", sent_at=now
    )
    Notification.objects.create(
        dedupe_key="b", channel="slack", subject="Not sent", attempts=3, error="404 from Slack."
    )
