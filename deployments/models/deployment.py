"""Deployment: one deploy of a service. Its status moves through one door, `advance`, whose row count is the answer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Now

from deployments.models.service import Service
from operations.models import Operation


class Status(models.TextChoices):
    CREATED = "created", "Created"
    QUEUED = "queued", "Queued"
    BUILD_IN_PROGRESS = "build_in_progress", "Building"
    PRE_DEPLOY_IN_PROGRESS = "pre_deploy_in_progress", "Pre-deploy"
    UPDATE_IN_PROGRESS = "update_in_progress", "Updating"
    LIVE = "live", "Live"
    DEACTIVATED = "deactivated", "Superseded"
    BUILD_FAILED = "build_failed", "Build failed"
    PRE_DEPLOY_FAILED = "pre_deploy_failed", "Pre-deploy failed"
    UPDATE_FAILED = "update_failed", "Update failed"
    CANCELED = "canceled", "Cancelled"
    UNKNOWN = "unknown", "Unknown"


MOVING = {
    Status.CREATED,
    Status.QUEUED,
    Status.BUILD_IN_PROGRESS,
    Status.PRE_DEPLOY_IN_PROGRESS,
    Status.UPDATE_IN_PROGRESS,
    Status.UNKNOWN,
}
GONE = "gone"  # our word for a deploy that Render no longer knows
FAILED = {Status.BUILD_FAILED, Status.PRE_DEPLOY_FAILED, Status.UPDATE_FAILED}
WAS_LIVE = {Status.LIVE, Status.DEACTIVATED}
# Anything that moves may be seen next in any state (a poll skips some); an ended one is only ever superseded. Render's
# word counts in whatever order it comes: another one is recorded too, with a note.
TRANSITIONS: dict[Status, set[Status]] = {status: set(Status) - {status} for status in MOVING} | {
    Status.LIVE: {Status.DEACTIVATED, Status.UNKNOWN},
    **{status: {Status.UNKNOWN} for status in (*FAILED, Status.CANCELED, Status.DEACTIVATED)},
}
PHASE = {
    Status.CREATED: 0,
    Status.QUEUED: 1,
    Status.BUILD_IN_PROGRESS: 2,
    Status.PRE_DEPLOY_IN_PROGRESS: 3,
    Status.UPDATE_IN_PROGRESS: 4,
}
ENDED = 5  # the phase of everything else


def known(word: str) -> str:
    """Our status for Render's word; a word we do not know is UNKNOWN and kept in `provider_status`."""
    return word if word in Status.values else Status.UNKNOWN


NEWEST_OF_EACH = """
SELECT known.* FROM unnest(%(services)s::bigint[]) AS service (id) CROSS JOIN LATERAL (
    (SELECT * FROM deployments_deployment WHERE service_id = service.id
     ORDER BY created_at DESC, id DESC LIMIT %(most)s)
    UNION
    (SELECT * FROM deployments_deployment WHERE service_id = service.id AND status IN ('live', 'deactivated')
     ORDER BY created_at DESC, id DESC LIMIT %(most)s)
) AS known ORDER BY known.created_at DESC, known.id DESC
"""


class DeploymentQuerySet(models.QuerySet["Deployment"]):
    def advance(self, pk: int, source: str, target: str, **fields: Any) -> bool:
        """Move one row from `source` to `target` if it still stands there; the answer is whether it did."""
        return self.filter(pk=pk, status=source).update(status=target, **fields) == 1

    def newest_of(self, services: Iterable[int], most: int) -> dict[int, list[Deployment]]:
        """The newest so many of each service, and so many that were live however old; newest first, in one query."""
        known: dict[int, list[Deployment]] = {service: [] for service in services}
        for row in Deployment.objects.raw(NEWEST_OF_EACH, {"services": list(known), "most": most}):
            known[row.service_id].append(row)
        return known

    def superseded(self) -> DeploymentQuerySet:
        """What a rollback can go back to: once live, still known to Render, not part of the demo's story."""
        return self.filter(status=Status.DEACTIVATED, seeded=False).exclude(provider_status=GONE)


class Deployment(models.Model):
    class Source(models.TextChoices):
        OPERATION = "operation", "This portal"
        EVENT = "event", "Render's event"
        OUTSIDE = "outside", "Outside the portal"

    class Health(models.TextChoices):
        UNKNOWN = "", "Not probed"
        HEALTHY = "healthy", "Healthy"
        UNHEALTHY = "unhealthy", "Unhealthy"

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="deployments")
    render_id = models.CharField(max_length=80)
    status = models.CharField(max_length=30, choices=Status)
    provider_status = models.CharField(max_length=60, blank=True, help_text="Render's own word.")
    trigger = models.CharField(max_length=60, blank=True)
    commit_sha = models.CharField(max_length=64, blank=True)
    commit_message = models.TextField(blank=True)
    commit_at = models.DateTimeField(null=True, blank=True)
    image = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    provider_updated_at = models.DateTimeField(null=True, blank=True)
    operation = models.ForeignKey(
        Operation, on_delete=models.PROTECT, null=True, blank=True, related_name="deployments"
    )
    actor = models.CharField(max_length=200, blank=True)
    actor_source = models.CharField(max_length=12, choices=Source, default=Source.OUTSIDE)
    health = models.CharField(max_length=12, choices=Health, blank=True, default="")
    health_at = models.DateTimeField(null=True, blank=True)
    found_healthy_at = models.DateTimeField(null=True, blank=True, help_text="When it was first found healthy.")
    missing_since = models.DateTimeField(null=True, blank=True, help_text="First 404 for it; a second one ends it.")
    first_seen_at = models.DateTimeField(db_default=Now(), editable=False)
    seeded = models.BooleanField(default=False, help_text="Part of the demo's story.")

    objects: ClassVar[models.Manager[Deployment]] = DeploymentQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="deployment_recent"),
            models.Index(fields=["service", "-created_at"], name="deployment_by_service"),
            models.Index(fields=["status", "-created_at"], name="deployment_by_status"),
            models.Index(fields=["actor_source", "-created_at"], name="deployment_by_source"),
            models.Index(fields=["actor", "-created_at"], name="deployment_by_actor"),
            models.Index(fields=["render_id"], name="deployment_by_render_id"),
            models.Index(fields=["commit_sha"], name="deployment_by_commit", opclasses=["varchar_pattern_ops"]),
        ]
        constraints = [
            models.UniqueConstraint(fields=["service", "render_id"], name="deployment_once"),
            models.CheckConstraint(name="deployment_status_known", condition=models.Q(status__in=Status.values)),
            models.CheckConstraint(
                name="deployment_source_known", condition=models.Q(actor_source__in=["operation", "event", "outside"])
            ),
            models.CheckConstraint(
                name="deployment_health_known", condition=models.Q(health__in=["", "healthy", "unhealthy"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service.name} {self.short}"

    @property
    def short(self) -> str:
        return self.commit_sha[:7] or self.render_id

    @property
    def title(self) -> str:
        return self.commit_message.split("\n", 1)[0][:120]

    @property
    def who(self) -> str:
        return self.actor or "outside the portal"

    @property
    def moving(self) -> bool:
        """Whether it goes on; a word that we do not know has ended where Render says when."""
        return self.status in MOVING and not (self.status == Status.UNKNOWN and self.finished_at)

    @property
    def failed(self) -> bool:
        return self.status in FAILED

    @property
    def was_live(self) -> bool:
        return self.status in WAS_LIVE

    @property
    def word(self) -> str:
        """The status as people read it; Render's own word where we do not know it."""
        return self.provider_status if self.status == Status.UNKNOWN else Status(self.status).label

    @property
    def duration(self) -> timedelta | None:
        """None where it is not told, or would have ended before it began."""
        begun: datetime | None = self.started_at or self.created_at
        return self.finished_at - begun if self.finished_at and begun and begun <= self.finished_at else None
