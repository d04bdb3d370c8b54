"""MigrationFile: one row per content of a path. New bytes are a new revision; nothing carries over to it."""

from __future__ import annotations

from pathlib import PurePosixPath

from django.db import models
from django.db.models.functions import Now

from operations.models import Risk

# How the measure's phrases of such effects begin.
TAKES = ("deleted ", "updated ", "emptied ", "rewrote ", "dropped table", "dropped materialized view")


class MigrationFileQuerySet(models.QuerySet["MigrationFile"]):
    def newest(self) -> MigrationFileQuerySet:
        """Only the newest revision of each path."""
        newer = MigrationFile.objects.filter(path=models.OuterRef("path"), revision__gt=models.OuterRef("revision"))
        return self.filter(~models.Exists(newer))


class MigrationFile(models.Model):
    class Stream(models.TextChoices):
        SCHEMA = "schema", "schema_*.sql"
        MIGRATION = "migration", "migration_NN_*.sql"
        SUPABASE = "supabase", "supabase/migrations"

    path = models.CharField(max_length=500)
    sha256 = models.CharField(max_length=64)
    stream = models.CharField(max_length=10, choices=Stream)
    version = models.CharField(max_length=200)
    revision = models.PositiveIntegerField()
    previous = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="next_revisions")
    position = models.PositiveIntegerField(help_text="Its place in the order in which files belong.")
    content = models.BinaryField(editable=False)
    size_bytes = models.PositiveIntegerField()
    source = models.CharField(max_length=300)
    risk = models.CharField(max_length=12, choices=Risk)
    ruleset = models.CharField(max_length=16)
    measured_losses = models.JSONField(
        default=list, editable=False, help_text="What it destroyed when it was tried as less than destructive."
    )
    discovered_at = models.DateTimeField(db_default=Now(), editable=False)
    discovered_by = models.CharField(max_length=150)

    objects = MigrationFileQuerySet.as_manager()

    class Meta:
        verbose_name = "migration"
        ordering = ["position", "path", "-revision"]
        permissions = [
            ("apply_migrationfile", "Can request that a migration is applied"),
            ("register_migrationfile", "Can upload migrations"),
            ("waive_finding", "Can propose a waiver of a finding"),
            ("approve_waiver", "Can approve somebody else's waiver"),
            ("change_rules", "Can propose another rule policy"),
        ]
        constraints = [
            models.UniqueConstraint(name="migrationfile_one_row_per_content", fields=["path", "sha256"]),
            models.UniqueConstraint(name="migrationfile_revisions_count", fields=["path", "revision"]),
            models.CheckConstraint(
                name="migrationfile_sha256_hex", condition=models.Q(sha256__regex=r"^[0-9a-f]{64}$")
            ),
            models.CheckConstraint(
                name="migrationfile_stream_known", condition=models.Q(stream__in=["schema", "migration", "supabase"])
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The file's name without its folders."""
        return PurePosixPath(self.path).name

    @property
    def takes_values(self) -> bool:
        """Whether it was measured to take or change values: where they are, no rule of the analysis knows."""
        return any(str(loss).startswith(TAKES) for loss in self.measured_losses)

    @property
    def data(self) -> bytes:
        """The stored bytes, which alone are analysed, approved and applied."""
        return bytes(self.content)
