"""Finding: what one rule said about one statement of a file, as it was registered."""

from __future__ import annotations

from django.db import models

from migrations_registry.models.file import MigrationFile


class Finding(models.Model):
    file = models.ForeignKey(MigrationFile, on_delete=models.CASCADE, related_name="findings")
    rule = models.CharField(max_length=40)
    severity = models.CharField(max_length=15)
    lock = models.CharField(max_length=25, blank=True)
    rewrite = models.BooleanField(default=False)
    scan = models.BooleanField(default=False)
    line = models.PositiveIntegerField()
    end_line = models.PositiveIntegerField()
    message = models.TextField()
    safe_form = models.TextField()

    class Meta:
        ordering = ["file", "line", "pk"]
        indexes = [models.Index(fields=["rule"], name="finding_rule")]

    def __str__(self) -> str:
        return f"{self.rule} at line {self.line}"
