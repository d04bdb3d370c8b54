"""SyncState: the one row that says whether Render answers us; written only when that changes."""

from __future__ import annotations

from django.db import models

MOST_UNREAD = 20  # lines kept


class SyncState(models.Model):
    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    ok_since = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)
    error_kind = models.CharField(max_length=40, blank=True)
    unread = models.JSONField(default=list, help_text="What of the last pass could not be recorded, and why.")
    unknown_events = models.JSONField(default=dict, help_text="Kinds of events that we do not know, with how many.")
    error_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(name="sync_state_single", condition=models.Q(id=1))]

    def __str__(self) -> str:
        return self.error or "Render answers"

    def may_lag(self, service: str) -> bool:
        """Whether something of this service, or of one of its deploys, may not have been recorded."""
        of_it = (f"{service}: ", f"{service} ")
        return bool(self.error) or len(self.unread) >= MOST_UNREAD or any(row.startswith(of_it) for row in self.unread)
