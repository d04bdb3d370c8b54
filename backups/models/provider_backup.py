"""ProviderBackup: what Supabase itself keeps of an environment, as it last told: a daily copy, a window, a point."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from operations.models import Environment, SupabaseProject


class ProviderBackupQuerySet(models.QuerySet["ProviderBackup"]):
    def listed(self) -> ProviderBackupQuerySet:
        """Those that are not known to be gone."""
        return self.filter(gone_at=None)

    def told(self) -> ProviderBackupQuerySet:
        """Those of them that the newest reading of their project showed, too."""
        last = "environment__supabase_project__seen_at"
        return self.listed().filter(models.Q(**{last: None}) | models.Q(**{f"{last}__lte": models.F("seen_at")}))

    def restorable(self) -> ProviderBackupQuerySet:
        """Daily backups and restore points that can be returned to, newest first."""
        kinds = [ProviderBackup.Kind.DAILY, ProviderBackup.Kind.RESTORE_POINT]
        done = self.told().filter(kind__in=kinds, status__in=["COMPLETED", "AVAILABLE"])
        return done.exclude(taken_at=None).order_by("-taken_at")


class ProviderBackup(models.Model):
    class Kind(models.TextChoices):
        DAILY = "daily", "Daily backup"
        PITR_WINDOW = "pitr_window", "Point-in-time window"
        RESTORE_POINT = "restore_point", "Restore point"

    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="provider_backups")
    ref = models.CharField(max_length=40)
    external_id = models.CharField(max_length=100)
    kind = models.CharField(max_length=13, choices=Kind)
    taken_at = models.DateTimeField(null=True, blank=True)
    earliest_at = models.DateTimeField(null=True, blank=True)
    latest_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=20, blank=True, help_text="Supabase's own word.")
    first_seen_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())
    missing_since = models.DateTimeField(
        null=True, blank=True, help_text="First list without it; a second one ends it."
    )
    gone_at = models.DateTimeField(null=True, blank=True, help_text="When Supabase no longer listed it.")
    detail = models.JSONField(default=dict)

    objects: ClassVar[ProviderBackupQuerySet] = ProviderBackupQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["-taken_at", "-latest_at"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["ref", "kind", "external_id"], name="providerbackup_once"),
            models.CheckConstraint(
                name="providerbackup_kind_known",
                condition=models.Q(kind__in=["daily", "pitr_window", "restore_point"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.external_id}"

    def is_listed(self, project: SupabaseProject | None) -> bool:
        """Whether the newest reading of the project showed it."""
        last = project.seen_at if project else None
        return self.gone_at is None and (last is None or self.seen_at >= last)

    def holds(self, at: datetime) -> bool:
        """Whether a window reaches that moment."""
        return bool(self.earliest_at and self.latest_at and self.earliest_at <= at <= self.latest_at)


KINDS = ("backups.provider_restore", "backups.provider_pitr")
