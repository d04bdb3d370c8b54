"""Probing: an answer becomes a HealthCheck, a streak, and after enough in a row a change of the service's health.

In: a service. Out: rows, a ledger entry at each change, a notification, and the automatic rollback where opted in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from deployments.health.auto_rollback import consider
from deployments.models import Deployment, HealthCheck, Service
from deployments.models.deployment import Status
from ledger.services import record
from operations.accounts import SYSTEM
from operations.notify import alarm
from providers import bounded_json
from providers.http.health_probe import HealthResponse, fetch

BAD_PROBES = 2
KEEP_DAYS = 14


def probe(service: Service) -> HealthCheck:
    """Ask once and take the answer in."""
    return record_health(service, fetch_health(service.health_url))


def fetch_health(url: str) -> HealthResponse:
    """The network part alone, for threads: touches no database."""
    return fetch(url, allow_private=settings.DEMO, timeout=5.0)


def record_health(service: Service, answer: HealthResponse) -> HealthCheck:
    """Store one answer; change the service's and its live deploy's health when enough answers in a row agree."""
    verdict = assess(answer.status, answer.body, answer.error)
    live = service.deployments.filter(status=Status.LIVE).order_by("-created_at").first()
    check = HealthCheck(
        service=service,
        deployment=live,
        healthy=verdict.healthy,
        status_code=answer.status,
        body_status=verdict.body_status,
        version=verdict.version,
        latency_ms=answer.latency_ms,
        detail=verdict.detail[:300],
    )
    with transaction.atomic():
        check.save()
        streak = _streak(service.health_streak, verdict.healthy)
        seen = {
            "health_streak": streak,
            "probed_at": check.checked_at,
            "latency_ms": check.latency_ms,
            "version": check.version or service.version,
            "health_detail": check.detail,
        }
        for name, value in seen.items():
            setattr(service, name, value)
        service.save(update_fields=list(seen))
        if live:
            _judge_deployment(live)
        if streak >= settings.HEALTH_GOOD_PROBES:
            _turn(service, Service.Health.HEALTHY, check)
        elif streak <= -BAD_PROBES:
            _turn(service, Service.Health.UNHEALTHY, check)
    live = live and Deployment.objects.select_related("service__environment").get(pk=live.pk)
    if live and live.health == Deployment.Health.UNHEALTHY:
        consider(live)
    return check


def _streak(before: int, healthy: bool) -> int:
    return max(before, 0) + 1 if healthy else min(before, 0) - 1


def _judge_deployment(live: Deployment) -> None:
    """Healthy after N good probes in a row since it went live; not healthy after two bad ones."""
    newest = list(
        live.health_checks.order_by("-checked_at").values_list("healthy", flat=True)[: settings.HEALTH_GOOD_PROBES]
    )
    if len(newest) >= settings.HEALTH_GOOD_PROBES and all(newest):
        health = Deployment.Health.HEALTHY
    elif len(newest) >= BAD_PROBES and not any(newest[:BAD_PROBES]):
        health = Deployment.Health.UNHEALTHY
    else:
        return
    Deployment.objects.filter(pk=live.pk).exclude(health=health).update(health=health, health_at=timezone.now())


def _turn(service: Service, health: str, check: HealthCheck) -> None:
    """One change of health, once: the conditional update decides who tells."""
    before = service.health
    if (
        not Service.objects.filter(pk=service.pk, health=before)
        .exclude(health=health)
        .update(health=health, health_since=check.checked_at)
    ):
        return
    service.health, service.health_since = health, check.checked_at
    bad = health == Service.Health.UNHEALTHY
    alarm(
        f"health:{service.render_id}", bad, subject=f"{service.name} is {health}", body=check.detail, path=link(service)
    )
    if not bad and before == Service.Health.UNKNOWN:
        return
    environment = service.environment_slug
    data = {"service": service.name, "detail": check.detail, "version": check.version}
    record(f"deployments.{health}", actor=SYSTEM, environment=environment, subject=service.name, data=data)


def link(service: Service) -> str:
    """The page from which a rollback is two clicks away: the live deployment's, else the service's."""
    live = service.deployments.filter(status=Status.LIVE).order_by("-created_at").first()
    if live is None:
        return reverse("admin:deployments_service_change", args=[service.pk])
    return reverse("admin:deployments_deployment_change", args=[live.pk])


def due() -> list[Service]:
    """Services whose probe is due: all others every period, an undecided one at once."""
    every = timedelta(seconds=settings.HEALTH_PROBE_SECONDS)
    probed = Service.objects.filter(removed_at=None, suspended=False, maintenance=False).select_related("environment")
    services = [service for service in probed if service.health_url and not service.is_preview]
    undecided = set(
        Deployment.objects.filter(service__in=services, status=Status.LIVE, health="", seeded=False).values_list(
            "service_id", flat=True
        )
    )
    return [s for s in services if _is_due(s, every, s.pk in undecided)]


def _is_due(service: Service, every: timedelta, undecided: bool) -> bool:
    if service.probed_at is None or undecided or abs(service.health_streak) < settings.HEALTH_GOOD_PROBES:
        return True
    return timezone.now() - service.probed_at >= every


def prune() -> int:
    """Remove probes older than a fortnight."""
    return HealthCheck.objects.filter(checked_at__lt=timezone.now() - timedelta(days=KEEP_DAYS)).delete()[0]


GOOD_WORDS = {"healthy", "ok", "pass", "up", "passing", "alive"}
GOOD_DATABASE = {"connected", "ok", "healthy", "up", ""}


@dataclass(frozen=True)
class HealthAssessment:
    healthy: bool
    body_status: str = ""
    version: str = ""
    detail: str = ""


def assess(status: int | None, body: bytes, error: str = "") -> HealthAssessment:
    """The verdict on one answer. A JSON body with a `status` must say so in a word that we know as good."""
    if error or status is None:
        return HealthAssessment(False, detail=error or "no answer")
    parsed = _object(body)
    word = str(parsed.get("status", ""))[:60]
    version = str(parsed.get("version") or "")[:100]
    if not 200 <= status < 300:
        return HealthAssessment(False, word, version, f"HTTP {status}" + (f", {word}" if word else ""))
    if word and word.lower() not in GOOD_WORDS:
        return HealthAssessment(False, word, version, f"HTTP {status}, but the body says {word}")
    database = str(parsed.get("database") or "").lower()
    if database not in GOOD_DATABASE:
        return HealthAssessment(False, word, version, f"HTTP {status}, but the database is {database[:60]}")
    return HealthAssessment(True, word, version, f"HTTP {status}" + (f", {word}" if word else ""))


def _object(body: bytes) -> dict[str, object]:
    try:
        parsed = bounded_json.loads(body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
