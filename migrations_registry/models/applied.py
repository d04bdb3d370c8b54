"""StreamBaseline: a stream's state on a target is known. Application: one attempt of one file on one target."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.functions import Now

from migrations_registry.models.file import MigrationFile
from migrations_registry.models.schema import SchemaFingerprint
from operations.models import Environment, Operation

APPLY, BACKFILL, PATH = "migrations.apply", "migrations.backfill", "migrations.path"
APPLYING = (APPLY, BACKFILL, PATH)  # the operations that apply files


def asks_for(sha256: str) -> models.Q:
    """Of operations: those that apply this content, alone or as one of several acts."""
    alone = models.Q(kind__in=(APPLY, BACKFILL), parameters__file=sha256)
    return alone | models.Q(kind=PATH, parameters__acts__contains=[{"parameters": {"file": sha256}}])


def files_of(operation: Operation) -> list[str]:
    """The digests of the contents that it applies."""
    acts = operation.parameters.get("acts", []) if operation.kind == PATH else [{"parameters": operation.parameters}]
    return [act["parameters"]["file"] for act in acts if "file" in act["parameters"]]


class StreamBaseline(models.Model):
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="baselines")
    stream = models.CharField(max_length=10, choices=MigrationFile.Stream)
    operation = models.CharField(max_length=26)
    proposal = models.JSONField(default=list, help_text="What was observed and approved, per file.")
    made_at = models.DateTimeField(db_default=Now())
    made_by = models.CharField(max_length=150)

    class Meta:
        ordering = ["-made_at"]
        permissions = [("baseline_stream", "Can ask to baseline a stream")]
        constraints = [models.UniqueConstraint(name="baseline_once", fields=["environment", "stream"])]

    def __str__(self) -> str:
        return f"{self.stream} on {self.environment}"


class Application(models.Model):
    class Status(models.TextChoices):
        RUNNING = "running", "Running"
        APPLIED = "applied", "Applied"
        PARTLY = "partly", "Partly applied"
        FAILED = "failed", "Not applied"

    file = models.ForeignKey(MigrationFile, on_delete=models.PROTECT, related_name="applications")
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="applications")
    operation = models.CharField(max_length=26, unique=True, help_text="Its key: the operation, or the act of one.")
    asked_in = models.CharField(max_length=26, blank=True, help_text="The operation in which it was one of several.")
    status = models.CharField(max_length=8, choices=Status, default=Status.RUNNING)
    steps = models.JSONField(default=list, help_text="Journal: step, xid, attempts, waited, outcome.")
    error = models.TextField(blank=True)
    schema_before = models.ForeignKey(
        SchemaFingerprint, null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    schema_after = models.ForeignKey(
        SchemaFingerprint, null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    paused_by = models.CharField(max_length=150, blank=True, help_text="Who lets its batches rest.")
    undone_by = models.CharField(max_length=26, blank=True, help_text="The operation that brought back what it lost.")
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)
    longest_wait_ms = models.PositiveIntegerField(
        default=0, help_text="The longest that one attempt waited for a lock."
    )

    class Meta:
        ordering = ["-started_at"]
        permissions = [("undo_application", "Can ask for what a migration destroyed to be brought back")]
        constraints = [
            models.CheckConstraint(
                name="application_status_known",
                condition=models.Q(status__in=["running", "applied", "partly", "failed"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.file} on {self.environment}"

    @property
    def may_be_undone(self) -> bool:
        return self.status == self.Status.APPLIED and not self.undone_by

    @property
    def walks(self) -> bool:
        """Whether it is a walk in batches that has not ended."""
        return self.status == self.Status.RUNNING and any("marks" in step for step in self.steps)

    @property
    def request(self) -> str:
        """The operation that people voted on."""
        return self.asked_in or self.operation

    def asked_for(self) -> tuple[Operation | None, str]:
        """That operation, and the run that was made and proven before this attempt; each may be missing."""
        operation = Operation.objects.filter(pk=self.request).select_related("requested_by").first()
        return operation, str(self._result(operation).get("restore_point", "")) if operation else ""

    def asked_with(self) -> dict[str, Any]:
        """The parameters of that operation, or of its act."""
        operation, _ = self.asked_for()
        if operation is None or not self.asked_in:
            return dict(operation.parameters) if operation else {}
        return next((act["parameters"] for act in operation.parameters["acts"] if act["key"] == self.operation), {})

    def _result(self, operation: Operation) -> dict[str, Any]:
        """What the operation, or its act, left."""
        if not self.asked_in:
            return dict(operation.result)
        acts = enumerate(operation.parameters["acts"], 1)
        name = next((f"{number} {act['label']}" for number, act in acts if act["key"] == self.operation), "")
        return dict(operation.result.get(name, {}))
