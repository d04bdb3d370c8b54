"""Service: one thing that Render runs, as last seen, with its health as our own probes see it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models.functions import Now

from operations.models import Environment

STALE_PREVIEW_DAYS = 14


class Service(models.Model):
    class Health(models.TextChoices):
        UNKNOWN = "unknown", "Unknown"
        HEALTHY = "healthy", "Healthy"
        UNHEALTHY = "unhealthy", "Unhealthy"

    class Ending(models.TextChoices):
        REMIND = "remind", "Remind us"
        DELETE = "delete", "Delete it"

    render_id = models.CharField(max_length=80, unique=True)
    name = models.CharField(max_length=200)
    type = models.CharField(max_length=40, blank=True)
    environment = models.ForeignKey(
        Environment, on_delete=models.PROTECT, null=True, blank=True, related_name="services"
    )
    owner_id = models.CharField(max_length=80, blank=True)
    repo = models.CharField(max_length=300, blank=True)
    branch = models.CharField(max_length=200, blank=True)
    url = models.CharField(max_length=500, blank=True)
    dashboard_url = models.CharField(max_length=500, blank=True)
    health_check_path = models.CharField(max_length=200, blank=True)
    autodeploy = models.BooleanField(default=False)
    autodeploy_trigger = models.CharField(max_length=40, blank=True)
    suspended = models.BooleanField(default=False)
    maintenance = models.BooleanField(default=False)
    instances = models.PositiveIntegerField(null=True, blank=True)
    parent_render_id = models.CharField(max_length=80, blank=True)
    settings = models.JSONField(default=dict, help_text="Render's settings of the service; holds no variable's value.")
    created_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(null=True, blank=True)
    suspenders = models.CharField(max_length=200, blank=True, help_text="Who suspended it, in Render's words.")
    missing_since = models.DateTimeField(null=True, blank=True, help_text="First 404 for it; a second one removes it.")
    removed_at = models.DateTimeField(null=True, blank=True, help_text="Render no longer lists it.")
    history_complete = models.BooleanField(default=False, help_text="Every older deploy has been read once.")
    history_cursor = models.CharField(max_length=500, blank=True, help_text="Where the first reading goes on.")
    is_self = models.BooleanField(
        default=False, help_text="This portal runs here, or its secrets lie here: every verb is refused."
    )
    auto_rollback = models.BooleanField(
        default=False, help_text="Put the last healthy deploy back once, when a new one is not healthy."
    )
    preview_expires_at = models.DateTimeField(null=True, blank=True)
    preview_ending = models.CharField(
        max_length=8, choices=Ending, default=Ending.REMIND, help_text="What happens when the preview's time is over."
    )
    preview_ended_at = models.DateTimeField(null=True, blank=True, help_text="When that was done, once for each date.")
    maintenance_until = models.DateTimeField(null=True, blank=True, help_text="The watchdog lifts it after this time.")
    maintenance_operation = models.CharField(max_length=26, blank=True)
    health = models.CharField(max_length=12, choices=Health, default=Health.UNKNOWN)
    health_since = models.DateTimeField(null=True, blank=True)
    health_streak = models.IntegerField(default=0, help_text="Good probes in a row; negative: bad ones.")
    doubt = models.CharField(max_length=300, blank=True, help_text="Why the last probe says neither good nor bad.")
    doubt_since = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=60, blank=True, help_text="What Render's events say is wrong with it.")
    trouble_since = models.DateTimeField(null=True, blank=True)
    events_read_at = models.DateTimeField(null=True, blank=True)
    health_detail = models.CharField(max_length=300, blank=True)
    latency_ms = models.PositiveIntegerField(null=True, blank=True)
    version = models.CharField(max_length=100, blank=True)
    probed_at = models.DateTimeField(null=True, blank=True)
    first_seen_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["name"]
        permissions = [
            ("deploy", "Can deploy, cancel deploys and change the source"),
            ("rollback", "Can roll back"),
            ("maintain", "Can switch maintenance mode, restart, scale, suspend and resume"),
            ("configure", "Can set and delete variables, run jobs, purge caches and delete previews"),
        ]
        constraints = [
            models.CheckConstraint(
                name="service_health_known", condition=models.Q(health__in=["unknown", "healthy", "unhealthy"])
            ),
            models.CheckConstraint(
                name="service_ending_known", condition=models.Q(preview_ending__in=["remind", "delete"])
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_web(self) -> bool:
        return self.type == "web_service"

    @property
    def is_preview(self) -> bool:
        return bool(self.parent_render_id)

    @property
    def preview_ends(self) -> datetime | None:
        """The day somebody gave it, else a fortnight after it was made."""
        if self.preview_expires_at is not None or self.created_at is None:
            return self.preview_expires_at
        return self.created_at + timedelta(days=STALE_PREVIEW_DAYS)

    @property
    def environment_slug(self) -> str:
        """For ledger entries and addresses; empty where the service belongs to none."""
        return self.environment.slug if self.environment else ""

    @property
    def health_url(self) -> str:
        """Where to probe: the environment's own URL for its web service, else the service's URL and path."""
        if self.is_web and self.environment and self.environment.health_url:
            return self.environment.health_url
        return self.url.rstrip("/") + self.health_check_path if self.url and self.health_check_path else ""

    def commit_url(self, sha: str) -> str:
        return f"{self.repo}/commit/{sha}" if self.repo.startswith("https://") and sha else ""

    def compare_url(self, older: str, newer: str) -> str:
        """The repository's page with the commits between two deploys."""
        known = self.repo.startswith("https://") and older and newer and older != newer
        return f"{self.repo}/compare/{older[:12]}...{newer[:12]}" if known else ""

    def details(self, key: str) -> Any:
        return self.settings.get(key)
