"""Incident: something between two runs that must never happen, with the rows before and after; open until a person
resolves it with a reason."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from backups.models.policy import Policy
from backups.models.run import Run
from operations.models import Environment

MOST_ROWS = 200


class IncidentCode(models.TextChoices):
    ROW_EDITED = "row_edited", "Rows edited"
    CONVERSION_CHANGED = "conversion_changed", "Conversions changed after they were set"
    ROWS_REMOVED = "rows_removed", "Rows removed"
    TAIL_CUT = "tail_cut", "Tail of a chain cut"
    CHAIN_REMOVED = "chain_removed", "Chains removed"
    CHAIN_BROKEN = "chain_broken", "Hash chain broken"
    ASSIGNMENT_UNAUDITED = "assignment_unaudited", "Assignments without an audit row"
    ROW_BACKDATED = "row_backdated", "Rows dated before a run that had none of them"
    GUARD_CHANGED = "guard_changed", "What guards the audit trail changed"
    TABLE_GONE = "table_gone", "Audit table gone or reshaped"
    NOT_COMPARED = "not_compared", "Not compared with the last good run"
    ANOMALY = "anomaly", "Unusual size or number of rows"
    OTHER = "other", "Other"


def known_codes() -> list[tuple[str, str]]:
    """A function, so that a new code needs no migration."""
    return IncidentCode.choices


class IncidentQuerySet(models.QuerySet["Incident"]):
    def open(self) -> IncidentQuerySet:
        return self.filter(status=Incident.Status.OPEN)


class Incident(models.Model):
    """`fingerprint` names exactly what was found: the same finding, once resolved, is accepted and not told again."""

    Code = IncidentCode

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        RESOLVED = "resolved", "Resolved"

    code = models.CharField(max_length=30, choices=known_codes)
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="incidents")
    policy = models.ForeignKey(Policy, null=True, blank=True, on_delete=models.PROTECT, related_name="incidents")
    run = models.ForeignKey(Run, null=True, blank=True, on_delete=models.PROTECT, related_name="incidents")
    baseline_run = models.ForeignKey(Run, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    seen_in = models.ManyToManyField(Run, blank=True, related_name="shows", help_text="Every run that shows it.")
    subject = models.CharField(max_length=200)
    summary = models.CharField(max_length=500)
    total = models.PositiveBigIntegerField(default=0, help_text="How many rows it is about.")
    evidence = models.JSONField(default=dict, help_text="Rows before and after, at most 200.")
    fingerprint = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.OPEN)
    opened_at = models.DateTimeField(db_default=Now())
    told_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.CharField(max_length=150, blank=True)
    reason = models.TextField(blank=True)
    seeded = models.BooleanField(default=False)

    objects: ClassVar[IncidentQuerySet] = IncidentQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["-opened_at", "-pk"]
        default_permissions = ("view",)
        permissions = [("resolve_incident", "Can resolve incidents of the audit data")]
        constraints = [
            models.UniqueConstraint(
                name="incident_one_open", fields=["code", "environment", "subject"], condition=models.Q(status="open")
            ),
            models.CheckConstraint(name="incident_status_known", condition=models.Q(status__in=["open", "resolved"])),
            models.CheckConstraint(
                name="incident_resolution_is_whole",
                condition=models.Q(status="open", resolved_at=None)
                | (
                    models.Q(status="resolved", resolved_at__isnull=False)
                    & ~models.Q(reason="")
                    & ~models.Q(resolved_by="")
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_code_display()} in {self.subject}"
