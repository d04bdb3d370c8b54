"""Hold: a run that must not be removed, whatever retention says, until a person releases it with a reason."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from backups.models.incident import Incident
from backups.models.run import Run


class Hold(models.Model):
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="holds")
    incident = models.ForeignKey(Incident, null=True, blank=True, on_delete=models.PROTECT, related_name="holds")
    reason = models.CharField(max_length=500)
    placed_at = models.DateTimeField(db_default=Now())
    placed_by = models.CharField(max_length=150)
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.CharField(max_length=150, blank=True)
    release_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-placed_at", "-pk"]
        default_permissions = ("view",)
        permissions = [
            ("place_hold", "Can put a legal hold on a run"),
            ("release_hold", "Can release a legal hold"),
        ]
        constraints = [
            models.UniqueConstraint(
                name="hold_once_per_incident", fields=["run", "incident"], condition=models.Q(released_at=None)
            ),
            models.CheckConstraint(
                name="hold_release_is_whole",
                condition=models.Q(released_at=None, released_by="", release_reason="")
                | (models.Q(released_at__isnull=False) & ~models.Q(released_by="") & ~models.Q(release_reason="")),
            ),
        ]

    def __str__(self) -> str:
        return f"Hold on {self.run}"
