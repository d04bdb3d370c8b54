"""HistoryReading: a target's migration history as it was last read. SourceCommit: which migrations a commit holds."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from operations.models import Environment


class HistoryReading(models.Model):
    """The target's own table is the truth; this row only says what it said, and when. Pages never wait for a target."""

    environment = models.OneToOneField(Environment, on_delete=models.CASCADE, related_name="history_reading")
    read_at = models.DateTimeField(null=True, help_text="When the target last answered.")
    tried_at = models.DateTimeField(db_default=Now())
    problem = models.TextField(blank=True, help_text="Why the last try did not answer; empty: it did.")
    has_table = models.BooleanField(default=False)
    role = models.CharField(max_length=100, blank=True, help_text="The role that the portal reads and applies with.")
    obstacle = models.TextField(blank=True, help_text="Why this role cannot apply migrations; empty: it can.")
    states = models.JSONField(default=dict, help_text="Per registered content: state, out of order, what was observed.")
    unknown = models.JSONField(default=list, help_text="Rows of the target's history that no registered file explains.")

    class Meta:
        ordering = ["environment"]
        permissions = [
            ("look_historyreading", "Can ask to read the migration histories again"),
            ("mark_historyreading", "Can ask to mark migrations as applied or not in a target's history"),
        ]

    def __str__(self) -> str:
        return f"history of {self.environment}"


class SourceCommit(models.Model):
    """A commit never changes, so it is read once; a failure is kept with its time and tried again."""

    repository = models.CharField(max_length=500)
    commit = models.CharField(max_length=200, help_text="Or a branch.")
    files = models.JSONField(default=list, help_text="path, sha256, stream and version of each migration.")
    rejected = models.JSONField(default=list)
    problem = models.TextField(blank=True)
    read_at = models.DateTimeField(db_default=Now())
    wanted_at = models.DateTimeField(null=True, blank=True, help_text="A page asked for it; a worker reads it.")

    class Meta:
        ordering = ["-read_at"]
        constraints = [models.UniqueConstraint(name="sourcecommit_once", fields=["repository", "commit"])]

    def __str__(self) -> str:
        return f"{self.repository}@{self.commit[:12]}"
