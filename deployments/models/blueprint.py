"""BlueprintFile: what an environment's render.yaml declares, as read last: settings and names, never a value."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from operations.models import Environment


class BlueprintFile(models.Model):
    class Source(models.TextChoices):
        REPOSITORY = "repository", "The repository"
        GIVEN = "given", "Given by a person"

    environment = models.OneToOneField(Environment, on_delete=models.CASCADE, related_name="blueprint")
    source = models.CharField(max_length=10, choices=Source)
    repo = models.CharField(max_length=300, blank=True)
    commit_sha = models.CharField(max_length=64, blank=True)
    sha256 = models.CharField(max_length=64)
    declared = models.JSONField(help_text="Services with their settings and variable names; values are fingerprints.")
    differences = models.JSONField(default=list, help_text="What differed when it was compared last, each minute.")
    verdict = models.CharField(max_length=500, blank=True, help_text="Render's own: empty where it was not asked.")
    valid = models.BooleanField(null=True, blank=True)
    read_at = models.DateTimeField(db_default=Now())
    read_by = models.CharField(max_length=150)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="blueprint_source_known", condition=models.Q(source__in=["repository", "given"])
            ),
        ]

    def __str__(self) -> str:
        return f"render.yaml of {self.environment.slug}"
