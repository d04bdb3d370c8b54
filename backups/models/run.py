"""Run: one full copy of a policy's tables, from its first byte to its proof. Segment: one object of it in the store."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models.functions import Now

from backups.archive.manifest import Manifest
from backups.models.policy import Policy
from backups.policy_spec import run_name
from operations.models import Operation
from operations.models.ulid import new_ulid
from operations.periodic.clock import database_time


class RunStatus(models.TextChoices):
    RUNNING = "running", "Running"
    STORED = "stored", "Stored"
    PROVEN = "proven", "Proven"
    SUSPECT = "suspect", "Suspect"
    FAILED = "failed", "Failed"


TRANSITIONS: dict[str, set[str]] = {
    RunStatus.RUNNING: {RunStatus.STORED, RunStatus.FAILED},
    RunStatus.STORED: {RunStatus.PROVEN, RunStatus.SUSPECT, RunStatus.FAILED},
    RunStatus.PROVEN: {RunStatus.SUSPECT, RunStatus.FAILED},
    RunStatus.SUSPECT: {RunStatus.PROVEN, RunStatus.FAILED},
}


class RunQuerySet(models.QuerySet["Run"]):
    def advance(self, pk: str, source: str, target: str, **fields: Any) -> bool:
        """Move one run from `source` to `target` if it still stands there; the answer is whether it did."""
        if target not in TRANSITIONS.get(source, set()):
            raise ValueError(f"a run never goes from {source} to {target}")
        return self.filter(pk=pk, status=source).update(status=target, **fields) == 1

    def counting(self) -> RunQuerySet:
        """Proven runs that may be relied on; the demo's seeded story never counts."""
        return self.filter(status=RunStatus.PROVEN, operation__seeded=False)

    def good(self) -> RunQuerySet:
        """Faithful copies that show nothing, or only what a person had explained before they were proven.

        A run that showed it first is never one, even once it is explained: production may be repaired since.
        """
        incident = apps.get_model("backups", "Incident")
        shown = incident._default_manager.filter(seen_in=models.OuterRef("pk"))
        later = models.Q(status="open") | models.Q(resolved_at__gt=models.OuterRef("ended_at"))
        explained = models.Q(status=RunStatus.SUSPECT) & models.Q(models.Exists(shown))
        faithful = self.filter(models.Q(status=RunStatus.PROVEN) | explained, operation__seeded=False, purging_at=None)
        return faithful.filter(~models.Exists(shown.filter(later)))

    def held(self) -> RunQuerySet:
        """Runs under a hold that nobody released: they are never removed."""
        return self.filter(holds__placed_at__isnull=False, holds__released_at=None).distinct()

    def restorable(self) -> RunQuerySet:
        """Stored runs whose data retention has not begun to delete."""
        return self.exclude(stored_at=None).filter(purging_at=None)


class Run(models.Model):
    Status = RunStatus

    id = models.CharField(primary_key=True, max_length=26, default=new_ulid, editable=False)
    operation = models.ForeignKey(Operation, on_delete=models.PROTECT, related_name="backup_runs")
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="runs")
    status = models.CharField(max_length=8, choices=RunStatus, default=RunStatus.RUNNING)
    store_url = models.CharField(max_length=500, blank=True)
    fence = models.PositiveIntegerField(null=True, blank=True, help_text="The attempt whose segments count.")
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    system_identifier = models.CharField(max_length=30, blank=True)
    snapshot_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(db_default=Now())
    stored_at = models.DateTimeField(null=True, blank=True)
    proven_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    mirrored_at = models.DateTimeField(null=True, blank=True, help_text="Complete in the policy's second store.")
    tables = models.JSONField(default=list)
    outside = models.JSONField(default=list, help_text="What stood besides tables, and whether the run holds it.")
    rows = models.BigIntegerField(default=0)
    raw_bytes = models.BigIntegerField(default=0)
    stored_bytes = models.BigIntegerField(default=0)
    copy_seconds = models.FloatField(null=True, blank=True)
    proof_seconds = models.FloatField(null=True, blank=True)
    reason = models.TextField(blank=True, help_text="Why it is not proven.")
    timeline = models.PositiveIntegerField(null=True, blank=True, help_text="Of the database; grows at each failover.")
    retained_until = models.DateTimeField(
        null=True, blank=True, help_text="Until then the store refuses to delete it, as the store itself says."
    )
    retired_at = models.DateTimeField(
        null=True, blank=True, help_text="The policy's retention does not want it any more; its data is still there."
    )
    retired_by = models.CharField(max_length=150, blank=True)
    brought_back_at = models.DateTimeField(null=True, blank=True, help_text="A person took its retirement back.")
    purging_at = models.DateTimeField(null=True, blank=True, help_text="Since then its objects are being deleted.")
    purged_at = models.DateTimeField(null=True, blank=True, help_text="Its data is gone; manifest and proofs stay.")
    lock_mode = models.CharField(max_length=10, blank=True, help_text="GOVERNANCE or COMPLIANCE; empty: not locked.")
    warnings = models.JSONField(default=list, help_text="What a person should know although the copy may be whole.")

    objects: models.Manager[Run] = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at"]
        default_permissions = ("view",)
        permissions = [
            ("verify_run", "Can ask for a re-verification"),
            ("request_export", "Can request exports"),
            ("request_restore", "Can request restores"),
            ("download_run", "Can download a run's data"),
        ]
        indexes = [models.Index(fields=["status", "-started_at"], name="run_status_started")]
        constraints = [
            models.UniqueConstraint(fields=["operation", "policy"], name="run_once_per_operation_and_policy"),
            models.CheckConstraint(name="run_status_known", condition=models.Q(status__in=RunStatus.values)),
            models.CheckConstraint(
                name="run_proven_has_manifest",
                condition=~models.Q(status="proven") | ~models.Q(manifest_sha256="", proven_at=None),
            ),
            models.CheckConstraint(
                name="run_purged_after_retired",
                condition=models.Q(purging_at=None, purged_at=None)
                | models.Q(purging_at__isnull=False, retired_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return run_name(self.policy.title, self.started_at, self.policy.environment.slug)

    @property
    def in_part(self) -> bool:
        """Whether something of a proven run could not be checked; `reason` says what."""
        return self.status == RunStatus.PROVEN and bool(self.reason)

    @property
    def word(self) -> str:
        return "proven_in_part" if self.in_part else self.status

    @property
    def identity_for_next(self) -> str:
        """The database that the next run has to come from; any, once a person accepted another since this run."""
        accepted = self.policy.identity_accepted_at
        return "" if accepted and accepted > self.started_at else self.system_identifier

    @property
    def timeline_for_next(self) -> int:
        """The timeline that the next run's database must have reached; any, once a person accepted another."""
        return (self.timeline or 0) if self.identity_for_next else 0

    @property
    def proof_overdue(self) -> bool:
        """Stored, and its proof ended without an answer or did not come within the policy's grace time."""
        if self.status != RunStatus.STORED or self.stored_at is None:
            return False
        over_at = self.stored_at + timedelta(minutes=self.policy.grace_minutes)
        return self.ended_at is not None or over_at < database_time()

    @property
    def is_stored(self) -> bool:
        return self.stored_at is not None


class Segment(models.Model):
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="segments")
    table = models.CharField(max_length=130)
    position = models.PositiveIntegerField()
    key = models.CharField(max_length=300)
    rows = models.BigIntegerField()
    digest = models.CharField(max_length=40)
    raw_bytes = models.BigIntegerField()
    raw_sha256 = models.CharField(max_length=64)
    stored_bytes = models.BigIntegerField()
    stored_sha256 = models.CharField(max_length=64)
    encrypted = models.BooleanField()

    class Meta:
        ordering = ["run", "position"]
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["run", "position"], name="segment_position_once")]

    def __str__(self) -> str:
        return self.key


OF_MANIFEST = ["key", "rows", "digest", "raw_bytes", "raw_sha256", "stored_bytes", "stored_sha256", "encrypted"]


def segment_rows(run: Run, manifest: Manifest) -> list[Segment]:
    """The rows for a manifest's segments, in its order."""
    facts = [(table.qualified, segment) for table in manifest.tables for segment in table.segments]
    return [
        Segment(run=run, table=table, position=position, **{name: getattr(segment, name) for name in OF_MANIFEST})
        for position, (table, segment) in enumerate(facts)
    ]
