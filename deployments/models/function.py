"""Supabase's edge functions as last seen, every version of them, and the bundles kept here; secrets by name only."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.db import models
from django.db.models.functions import Now

from ledger.models import database_time
from operations.models import Environment

LASTS = timedelta(hours=1)  # what Supabase said of it last


class EdgeFunction(models.Model):
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="functions")
    slug = models.CharField(max_length=100)
    provider_id = models.CharField(max_length=80, blank=True)
    status = models.CharField(max_length=40, blank=True, help_text="Supabase's own word, also one unknown here.")
    version = models.PositiveIntegerField(default=0)
    verify_jwt = models.BooleanField(default=True)
    entrypoint = models.CharField(max_length=300, blank=True)
    provider_sha256 = models.CharField(max_length=64, blank=True, help_text="Supabase's digest of what runs.")
    requests = models.PositiveIntegerField(null=True, blank=True, help_text="In the last hour; empty: not told.")
    server_errors = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(db_default=Now())
    missing_since = models.DateTimeField(null=True, blank=True, help_text="First 404 for it; a second one removes it.")
    removed_at = models.DateTimeField(null=True, blank=True, help_text="Supabase no longer has it.")

    class Meta:
        ordering = ["environment", "slug"]
        constraints = [models.UniqueConstraint(fields=["environment", "slug"], name="function_once")]

    def __str__(self) -> str:
        return f"{self.slug} on {self.environment}"

    @property
    def health(self) -> str:
        """What the last hour's requests say, unhealthy where one in twenty failed; `deployed` where none says anything,
        `unverified` where Supabase does not list it, was not read lately, or has a state that nobody knows here."""
        if self.removed_at or self.status == "REMOVED":
            return "removed"
        if self.status == "THROTTLED" or (self.requests and (self.server_errors or 0) * 20 >= self.requests):
            return "unhealthy"
        if self.missing_since or database_time() - self.seen_at > LASTS or self.status != "ACTIVE":
            return "unverified"
        return "healthy" if self.requests and self.server_errors is not None else "deployed"


class FunctionBundle(models.Model):
    """Bytes that a function ran or will run: source files as one zip, or Supabase's own bundle of them."""

    class Kind(models.TextChoices):
        FILES = "files", "Source files"
        ESZIP = "eszip", "Supabase's bundle"

    slug = models.CharField(max_length=100)
    kind = models.CharField(max_length=8, choices=Kind)
    sha256 = models.CharField(max_length=64, editable=False)
    content = models.BinaryField()
    size_bytes = models.PositiveBigIntegerField()
    files = models.JSONField(default=list, help_text="Path and size of each source file.")
    kept_at = models.DateTimeField(db_default=Now())
    kept_by = models.CharField(max_length=150, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True, help_text="Its bytes were let go then; the row stays.")

    class Meta:
        ordering = ["-kept_at"]
        constraints = [
            models.UniqueConstraint(fields=["slug", "sha256"], name="bundle_once"),
            models.CheckConstraint(name="bundle_kind_known", condition=models.Q(kind__in=["files", "eszip"])),
        ]

    def __str__(self) -> str:
        return f"{self.slug} {self.sha256[:12]}"

    @property
    def intact(self) -> bool:
        return hashlib.sha256(bytes(self.content)).hexdigest() == self.sha256


class FunctionVersion(models.Model):
    """One version that was live; `bundle` is what ran, `source` what was sent, where this portal has them."""

    function = models.ForeignKey(EdgeFunction, on_delete=models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    provider_sha256 = models.CharField(max_length=64, blank=True)
    entrypoint = models.CharField(max_length=300, blank=True)
    verify_jwt = models.BooleanField(default=True)
    bundle = models.ForeignKey(FunctionBundle, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    source = models.ForeignKey(FunctionBundle, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    operation = models.CharField(max_length=26, blank=True, help_text="The operation that deployed it, if it was ours.")
    actor = models.CharField(max_length=150, blank=True)
    live_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-version"]
        constraints = [models.UniqueConstraint(fields=["function", "version"], name="function_version_once")]

    def __str__(self) -> str:
        return f"{self.function.slug} version {self.version}"

    @property
    def kept(self) -> FunctionBundle | None:
        """What a rollback would send."""
        return next(
            (bundle for bundle in (self.bundle, self.source) if bundle is not None and bundle.removed_at is None), None
        )


class EdgeSecret(models.Model):
    """A secret's name. The API answers a digest of its value too; it is dropped before it gets here."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="edge_secrets")
    name = models.CharField(max_length=200)
    updated_at = models.DateTimeField(null=True, blank=True)
    missing_since = models.DateTimeField(null=True, blank=True, help_text="First list without it; a second removes it.")

    class Meta:
        ordering = ["environment", "name"]
        constraints = [models.UniqueConstraint(fields=["environment", "name"], name="edge_secret_once")]

    def __str__(self) -> str:
        return self.name
