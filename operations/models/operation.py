"""Operation: one consequential act, from the request to its end. What is asked never changes (triggers hold it)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now
from django.utils import timezone

from operations.models.environment import Environment
from operations.models.ulid import new_ulid


class Risk(models.TextChoices):
    ROUTINE = "routine", "Routine"
    SENSITIVE = "sensitive", "Sensitive"
    DESTRUCTIVE = "destructive", "Destructive"


class Status(models.TextChoices):
    AWAITING_APPROVAL = "awaiting_approval", "Awaiting approval"
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"
    REJECTED = "rejected", "Rejected"
    EXPIRED = "expired", "Expired"


class Outcome(models.TextChoices):
    UNDECIDED = "", "Undecided"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


TERMINAL = {Status.SUCCEEDED, Status.FAILED, Status.CANCELLED, Status.REJECTED, Status.EXPIRED}
TRANSITIONS: dict[str, set[str]] = {
    Status.AWAITING_APPROVAL: {Status.QUEUED, Status.REJECTED, Status.EXPIRED, Status.CANCELLED},
    Status.QUEUED: {Status.AWAITING_APPROVAL, Status.RUNNING, Status.EXPIRED, Status.CANCELLED},
    Status.RUNNING: {Status.SUCCEEDED, Status.FAILED, Status.CANCELLED, Status.EXPIRED},
}


def database_now(plus_seconds: float = 0) -> RawSQL:
    """The database's own clock, the only one that leases are measured by."""
    return RawSQL("clock_timestamp() + make_interval(secs => %s)", [plus_seconds])


class OperationQuerySet(models.QuerySet["Operation"]):
    def advance(self, pk: str, source: str, target: str, **fields: Any) -> bool:
        """Move one row from `source` to `target` if it still stands there; the answer is whether it did."""
        if target not in TRANSITIONS.get(source, set()):
            raise ValueError(f"an operation never goes from {source} to {target}")
        return self.filter(pk=pk, status=source).update(status=target, **fields) == 1

    def unleased(self) -> OperationQuerySet:
        return self.filter(models.Q(lease_until=None) | models.Q(lease_until__lt=database_now()))

    def due(self) -> OperationQuerySet:
        """What a worker may claim at this moment."""
        ready = models.Q(due_at=None) | models.Q(due_at__lte=database_now())
        return self.filter(ready, status__in=[Status.QUEUED, Status.RUNNING], seeded=False).unleased()

    def held(self, pk: str, fence: int) -> OperationQuerySet:
        """The row while the claim numbered `fence` still owns it; every write of a worker goes through here."""
        return self.filter(pk=pk, fence=fence, status=Status.RUNNING, lease_until__gt=database_now())


class Operation(models.Model):
    id = models.CharField(primary_key=True, max_length=26, default=new_ulid, editable=False)
    kind = models.CharField(max_length=80)
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="operations")
    subject = models.CharField(max_length=300, blank=True, help_text="What it acts on, in a few words.")
    parameters = models.JSONField(default=dict)
    sealed = models.TextField(blank=True, help_text="Secret parameters, encrypted to the workers; erased at the end.")
    content_sha256 = models.CharField(max_length=64)
    bound = models.JSONField(
        null=True, editable=False, help_text="Which database was meant when it was asked; empty before that was kept."
    )
    risk = models.CharField(max_length=12, choices=Risk)
    approvals_required = models.PositiveSmallIntegerField()
    reason = models.TextField(blank=True)
    channel = models.CharField(max_length=20, default="admin")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=20, choices=Status)
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True, default="")
    exclusive_key = models.CharField(max_length=200, blank=True)
    pool = models.CharField(max_length=20, default="export")
    due_at = models.DateTimeField(null=True, blank=True)
    woken_at = models.DateTimeField(null=True, blank=True)
    lease_owner = models.CharField(max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    attempt = models.PositiveIntegerField(default=0)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    break_glass_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    break_glass_reason = models.TextField(blank=True)
    break_glass_from = models.DateTimeField(null=True, blank=True)
    break_glass_until = models.DateTimeField(null=True, blank=True)
    begun = models.CharField(max_length=64, default="", db_default="", editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    progress = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    log = models.TextField(blank=True)
    retry_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="retries")
    seeded = models.BooleanField(default=False, help_text="Part of the demo's story; never counts as proof.")

    objects: ClassVar[models.Manager[Operation]] = OperationQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at"]
        permissions = [
            ("request_operation", "Can request operations"),
            ("approve_operation", "Can approve and reject other people's operations"),
            ("cancel_operation", "Can cancel operations"),
            ("break_glass", "Can replace missing approvals in an emergency"),
            ("run_rehearsal", "Can run rehearsals"),
        ]
        indexes = [
            models.Index(fields=["-requested_at", "id"], name="operation_recent"),
            models.Index(fields=["environment", "-requested_at"], name="operation_by_environment"),
            models.Index(fields=["kind", "-requested_at"], name="operation_by_kind"),
            models.Index(fields=["requested_by", "-requested_at"], name="operation_by_requester"),
            models.Index(fields=["status", "-requested_at"], name="operation_by_status"),
            models.Index(
                fields=["status"],
                name="operation_open",
                condition=models.Q(status__in=["awaiting_approval", "queued", "running"]),
            ),
        ]
        constraints = [
            models.CheckConstraint(name="operation_status_known", condition=models.Q(status__in=Status.values)),
            models.CheckConstraint(name="operation_outcome_known", condition=models.Q(outcome__in=Outcome.values)),
            models.CheckConstraint(name="operation_risk_known", condition=models.Q(risk__in=Risk.values)),
            models.UniqueConstraint(
                fields=["exclusive_key"],
                name="operation_exclusive",
                condition=models.Q(status="running") & ~models.Q(exclusive_key=""),
            ),
            models.UniqueConstraint(fields=["id", "requested_by", "content_sha256"], name="operation_identity"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject or self.id}"

    @property
    def terminal(self) -> bool:
        return self.status in TERMINAL

    @property
    def seconds(self) -> float | None:
        """How long it has run, or ran."""
        return ((self.ended_at or timezone.now()) - self.started_at).total_seconds() if self.started_at else None

    def began_under_glass(self) -> bool:
        """Whether it began in the window of a break-glass."""
        begun, glass = self.started_at, (self.break_glass_from, self.break_glass_until)
        return bool(begun and glass[0] and glass[1] and glass[0] <= begun <= glass[1])

    def glass_is_broken(self) -> bool:
        """Whether a break-glass stands in for missing votes: its window counts, not that there once was one."""
        if self.break_glass_until is None:
            return False
        return Operation.objects.filter(pk=self.pk, break_glass_until__gt=database_now()).exists()
