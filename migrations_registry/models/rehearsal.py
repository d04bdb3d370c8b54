"""Rehearsal: one content, run on a restored copy of one environment; what it did there, and whether it went through."""

from __future__ import annotations

from functools import cached_property

from django.db import models
from django.db.models.functions import Now

from backups.models import Run
from migrations_registry.models.file import MigrationFile
from migrations_registry.models.schema import SchemaFingerprint
from operations.models import Environment


class Rehearsal(models.Model):
    """Written once, when it ended. Nobody votes for what failed here, unless a second person waives that."""

    class Status(models.TextChoices):
        PASSED = "passed", "Went through"
        FAILED = "failed", "Fails"
        UNABLE = "unable", "Could not be rehearsed"

    file = models.ForeignKey(MigrationFile, on_delete=models.PROTECT, related_name="rehearsals")
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="rehearsals")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="rehearsals")
    operation = models.CharField(max_length=26, unique=True)
    content_sha256 = models.CharField(max_length=64, help_text="Of bytes, plan, target, rules: what votes bind.")
    status = models.CharField(max_length=6, choices=Status)
    schema_only = models.BooleanField(default=False, help_text="The rows were more than may be loaded.")
    report = models.JSONField(default=dict, help_text="Statements, effects, hazards, what was missing.")
    error = models.TextField(blank=True)
    seconds = models.FloatField(default=0)
    ended_at = models.DateTimeField(db_default=Now())
    requested_by = models.CharField(max_length=150)
    waived_by = models.CharField(max_length=150, blank=True)
    waived_at = models.DateTimeField(null=True, blank=True)
    waiver = models.TextField(blank=True, help_text="Why people may vote although it fails here.")

    class Meta:
        ordering = ["-ended_at", "-pk"]
        default_permissions = ("view",)
        permissions = [
            ("rehearse_migrationfile", "Can have a migration rehearsed on a restored copy"),
            ("approve_rehearsal", "Can let people vote although a rehearsal failed"),
        ]
        indexes = [models.Index(fields=["file", "environment", "-ended_at"], name="rehearsal_newest")]
        constraints = [
            models.CheckConstraint(
                name="rehearsal_status_known", condition=models.Q(status__in=["passed", "failed", "unable"])
            ),
            models.CheckConstraint(
                name="rehearsal_waived_by_a_second_person", condition=~models.Q(waived_by=models.F("requested_by"))
            ),
            models.CheckConstraint(
                name="rehearsal_waiver_is_whole",
                condition=models.Q(waived_by="", waived_at=None, waiver="")
                | (~models.Q(waived_by="") & models.Q(waived_at__isnull=False) & ~models.Q(waiver="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file} on {self.environment}"

    @cached_property
    def schema_now(self) -> str | None:
        """The digest of the schema that its environment should have."""
        rows = SchemaFingerprint.objects.trusted().filter(environment=self.environment_id)
        return rows.values_list("sha256", flat=True).first()

    @property
    def is_of_another_schema(self) -> bool:
        """Whether the schema changed since, or nobody knows on which it ran."""
        return bool(self.report.get("schema") != self.schema_now)
