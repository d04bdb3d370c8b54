"""The page of one environment: services with what is live and their verbs, health, metrics, crashes, previews."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone

from deployments import network
from deployments.health.home_card import said_of
from deployments.models import Deployment, HealthCheck, Service, SyncState
from deployments.models.deployment import MOVING, Status
from deployments.web import charts, remote
from deployments.web.delivery import delivery
from deployments.web.verbs import LOOKED_AT, of_service
from operations.models import Environment
from operations.notes.service import Subject
from operations.web import notes_page
from operations.web.pages import render_page
from providers.render import Event, Render
from providers.render.event_types import DISK, TROUBLE

DAYS = 14
LOGGED_MINUTES = 15
METRICS = ("cpu", "memory", "http-requests")
NOTED = {  # what somebody changed at Render, by its event
    "auto_deploy_disabled": "Autodeploy was switched off at Render",
    "auto_deploy_enabled": "Autodeploy was switched on at Render: the next push deploys",
    "disk_snapshot_restored": "A disk was put back to a snapshot: what was written since is gone",
}


@dataclass(frozen=True)
class Line:
    """One service with what the page shows beside it."""

    service: Service
    live: Deployment | None
    running: Deployment | None
    verbs: list[Any]
    known: list[Deployment]
    health: tuple[str, str]

    @property
    def lives(self) -> int:
        """How many deploys Render calls live; which of several answers, nobody knows."""
        return sum(row.status == Status.LIVE for row in self.known)

    @property
    def told(self) -> bool:
        """Whether something about it is worth reading unasked."""
        unwell = self.health[1] in ("bad", "warn") or self.lives > 1
        return unwell or self.service.suspended or self.service.maintenance or self.running is not None


@dataclass(frozen=True)
class Incident:
    at: datetime | None
    sentence: str
    word: str = "crashed"
    tone: str = "bad"
    actor: str = ""
    url: str = ""


@permission_required("deployments.view_service", raise_exception=True)
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """`/admin/deployments/service/environment/<slug>/`."""
    environment = get_object_or_404(network.with_known(Environment.objects.select_related("blueprint")), slug=slug)
    file = getattr(environment, "blueprint", None)
    rows = Service.objects.filter(environment=environment, removed_at=None).annotate(asked_at=Now())
    services = list(rows.order_by("-type", "name"))
    for service in services:
        service.environment = environment
    shown, now = lines(request, services), timezone.now()
    context = {
        "title": environment.name,
        "environment": environment,
        "lines": shown,
        "state": SyncState.objects.filter(pk=1).first(),
        **watched(shown),
        **delivery(environment),
        **notes_page.card(request, f"environment-{environment.slug}", environment),
        **remote.supabase_log(request, environment, now - timedelta(minutes=LOGGED_MINUTES), now, "environment"),
        "reach": list(network.of(environment)),
        "file": file,
        "differences": file.differences if file else [],
    }
    return render_page(request, "admin/deployments/environment.html", context)


def subject(slug: str) -> Subject | None:
    """Its notes are about what went wrong in the last two weeks, with or without an incident of the audit data."""
    row = Environment.objects.filter(slug=slug).first()
    if row is None:
        return None
    url, since = reverse("admin:deployments_environment", args=[slug]), timezone.now() - timedelta(days=DAYS)
    return Subject(f"{row.name}, last {DAYS} days", row, since, None, url, "deployments.view_service")


def lines(request: HttpRequest, services: Sequence[Service]) -> list[Line]:
    """One line a service, from its own newest deploys: a busy service hides none of a quiet one."""
    known = Deployment.objects.newest_of((service.pk for service in services), LOOKED_AT)
    return [_line(request, service, known[service.pk]) for service in services]


def _line(request: HttpRequest, service: Service, known: list[Deployment]) -> Line:
    live = next((row for row in known if row.status == Status.LIVE), None)
    running = next((row for row in known if row.status in MOVING and row.status != Status.UNKNOWN), None)
    verbs, health = of_service(request.user, service, known), said_of(service, service.asked_at)  # type: ignore[attr-defined]
    return Line(service, live, running, verbs, known, health)


def watched(shown: list[Line]) -> dict[str, Any]:
    """Health strip, metrics and the timeline of the environment's web service."""
    line = next((candidate for candidate in shown if candidate.service.is_web), None)
    if line is None:
        return {}
    service, known = line.service, line.known
    checks = list(HealthCheck.objects.filter(service=service).order_by("-checked_at")[:60])
    answers, missing = remote.read(f"environment:{service.render_id}", readers(service))
    since = timezone.now() - timedelta(hours=6)
    deploys = [row.finished_at for row in known if row.finished_at and row.finished_at >= since]
    return {
        "watched": service,
        "strip": charts.health_strip(checks),
        "missing": missing,
        "metrics": [charts.metric(name, answers[name], deploys) for name in METRICS if name in answers],
        "incidents": timeline(known, answers.get("events", [])),
    }


def readers(service: Service) -> dict[str, remote.Reader]:
    """What is read from Render for this page, all at once."""
    now = timezone.now()
    start = now - timedelta(hours=6)

    def metric(name: str) -> remote.Reader:
        return lambda api: api.metrics.series(name, service.render_id, start, now, 300)

    return {name: metric(name) for name in METRICS} | {"events": lambda api: told(api, service, now)}


def timeline(known: list[Deployment], events: list[Event]) -> list[Incident]:
    """Deploys, crashes and changes at Render of the last two weeks in one line of time, newest first."""
    since = timezone.now() - timedelta(days=DAYS)
    incidents = [deployed(row) for row in known if row.created_at >= since] + [incident(event) for event in events]
    return sorted(incidents, key=lambda item: item.at or since, reverse=True)[:12]


def deployed(row: Deployment) -> Incident:
    """A deploy in words; one that was superseded later did go live then."""
    ended = "ok" if row.was_live else "idle"
    tone = "bad" if row.failed or row.health == Deployment.Health.UNHEALTHY else "run" if row.moving else ended
    word = "live" if row.was_live else row.word
    url = reverse("admin:deployments_deployment_change", args=[row.pk])
    return Incident(row.finished_at or row.created_at, f"{row.short} {row.title}", word, tone, row.actor, url)


def told(api: Render, service: Service, now: datetime) -> list[Event]:
    events = api.events.list(service.render_id, start=now - timedelta(days=DAYS))
    return [event for event in events if event.type in TROUBLE or event.type in NOTED]


def incident(event: Event) -> Incident:
    """A crash in words: out of memory first, because it is the one with a limit to raise."""
    if event.type in NOTED:
        why = str(event.details.get("reason") or "").replace("_", " ")[:60]
        who = str(event.details.get("triggeredByUser") or "")
        return Incident(event.at, NOTED[event.type] + (f" ({why})" if why else ""), "changed", "warn", who)
    if event.type == DISK:
        used = event.details.get("usagePercent")
        return Incident(
            event.at, f"A disk is nearly full{f' ({used:g} %)' if isinstance(used, int | float) else ''}", "disk"
        )
    reason = event.details.get("reason") or {}
    if limit := (reason.get("oomKilled") or {}).get("memoryLimit"):
        return Incident(event.at, f"An instance ran out of memory (limit {limit})")
    if "nonZeroExit" in reason:
        return Incident(event.at, f"An instance exited with {reason['nonZeroExit']}")
    if reason.get("unhealthy"):
        return Incident(event.at, f"An instance was unhealthy: {reason['unhealthy']}")
    return Incident(event.at, event.type.replace("_", " "))
