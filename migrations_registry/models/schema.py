"""SchemaFingerprint: a schema as it was seen. DriftIncident: a difference that no operation made."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from migrations_registry.fingerprint.model import Fingerprint, from_json
from migrations_registry.models.file import MigrationFile
from operations.models import Environment


class SchemaFingerprintQuerySet(models.QuerySet["SchemaFingerprint"]):
    def trusted(self) -> SchemaFingerprintQuerySet:
        """Those that an operation, a person or the first sight vouches for, the newest first."""
        return self.exclude(trusted_at=None).order_by("-trusted_at", "-pk")


class SchemaFingerprint(models.Model):
    """Drift is told from the newest trusted one: an operation's, one that a person accepted, or the first look."""

    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="fingerprints")
    sha256 = models.CharField(max_length=64)
    objects_json = models.JSONField(default=list)
    taken_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now(), help_text="When the schema was last seen to be still this.")
    trusted_because = models.CharField(max_length=300, blank=True)
    trusted_at = models.DateTimeField(null=True)
    operation = models.CharField(max_length=26, blank=True)

    objects = SchemaFingerprintQuerySet.as_manager()

    class Meta:
        ordering = ["-taken_at", "-pk"]
        indexes = [models.Index(fields=["environment", "-trusted_at"], name="fingerprint_trusted")]
        constraints = [
            models.CheckConstraint(
                name="fingerprint_trust_is_whole",
                condition=models.Q(trusted_because="", trusted_at=None)
                | (~models.Q(trusted_because="") & models.Q(trusted_at__isnull=False)),
            )
        ]

    def __str__(self) -> str:
        return f"{self.environment} {self.sha256[:12]}"

    def fingerprint(self) -> Fingerprint:
        return from_json(self.objects_json)


class DriftIncident(models.Model):
    class Status(models.TextChoices):
        OPEN = "open", "Open"
        ACCEPTED = "accepted", "Accepted"
        EXPLAINED = "explained", "Explained by a migration"
        GONE = "gone", "Undone again"

    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="drift_incidents")
    expected = models.ForeignKey(SchemaFingerprint, on_delete=models.PROTECT, related_name="+")
    found = models.ForeignKey(SchemaFingerprint, on_delete=models.PROTECT, related_name="+")
    changes = models.JSONField(default=list)
    around = models.JSONField(default=list, help_text="What the ledger knows of the time between the two looks.")
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    opened_at = models.DateTimeField(db_default=Now())
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.CharField(max_length=150, blank=True)
    reason = models.TextField(blank=True)
    file = models.ForeignKey(MigrationFile, null=True, blank=True, on_delete=models.PROTECT, related_name="explains")

    class Meta:
        ordering = ["-opened_at"]
        permissions = [("resolve_driftincident", "Can accept a schema change made behind the portal's back")]
        constraints = [
            models.UniqueConstraint(
                name="drift_one_open_per_environment", fields=["environment"], condition=models.Q(status="open")
            ),
            models.CheckConstraint(
                name="drift_status_known", condition=models.Q(status__in=["open", "accepted", "explained", "gone"])
            ),
            models.CheckConstraint(
                name="drift_resolution_is_whole",
                condition=models.Q(status="open", resolved_at=None)
                | models.Q(status="gone", resolved_at__isnull=False)
                | (models.Q(resolved_at__isnull=False) & ~models.Q(reason="") & ~models.Q(resolved_by="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{len(self.changes)} schema change{'s' if len(self.changes) != 1 else ''} on {self.environment}"
