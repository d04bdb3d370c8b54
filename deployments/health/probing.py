"""Probing: an answer becomes a HealthCheck, a streak, and after enough in a row a change of the service's health.

In: a service. Out: rows, a ledger entry at each change, a notification, and the automatic rollback where opted in.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from deployments.health.assessment import HealthAssessment, Verdict, assess, other_commit
from deployments.health.auto_rollback import BAD_PROBES, consider, went_live_within
from deployments.health.sight import Sight
from deployments.models import Deployment, HealthCheck, Service
from deployments.models.deployment import Status
from ledger.services import record
from operations.accounts import SYSTEM
from operations.navigation import page_of
from operations.notify import alarm
from operations.periodic.clock import database_time
from providers.http.health_probe import HealthResponse, fetch

DOUBTS = (Verdict.UNCLEAR, Verdict.BLIND)
SWITCHING = timedelta(minutes=2)
KEEP_DAYS = 14


def probe(service: Service) -> HealthCheck:
    """Ask once and take the answer in."""
    sight = Sight()
    return record_health(service, fetch_health(service.health_url), sight)


def fetch_health(url: str) -> HealthResponse:
    """The network part alone, for threads: touches no database."""
    return fetch(url, allow_private=settings.DEMO, timeout=5.0)


def record_health(service: Service, answer: HealthResponse, sight: Sight) -> HealthCheck:
    """Store one answer; change the service's and its live deploy's health when enough answers in a row agree.

    Silence counts only where the portal sees somebody else; an answer without a word about health counts for nothing.
    """
    live = only_live(service)
    found = _doubted(assess(answer), live, sight)
    check = HealthCheck(
        service=service,
        checked_at=database_time(),
        deployment=live,
        healthy=found.healthy,
        verdict=found.verdict,
        status_code=answer.status,
        body_status=found.body_status,
        version=found.version,
        latency_ms=answer.latency_ms,
        detail=found.detail[:300],
    )
    with transaction.atomic():
        check.save()
        counts = found.verdict not in DOUBTS and not (found.verdict == Verdict.STALE and _switching(live))
        _note(service, check, counts)
        if live and counts:
            _judge_deployment(live)
        if service.health_streak >= settings.HEALTH_GOOD_PROBES:
            _turn(service, Service.Health.HEALTHY, check)
        elif service.health_streak <= -BAD_PROBES:
            _turn(service, Service.Health.UNHEALTHY, check)
    live = live and Deployment.objects.select_related("service__environment").get(pk=live.pk)
    if live and live.health == Deployment.Health.UNHEALTHY:
        consider(live, sight)
    return check


def only_live(service: Service) -> Deployment | None:
    """The one that answers; where Render calls two live, nobody knows which of them does."""
    live = list(service.deployments.filter(status=Status.LIVE)[:2])
    return live[0] if len(live) == 1 else None


def _doubted(found: HealthAssessment, live: Deployment | None, sight: Sight) -> HealthAssessment:
    """The verdict, after the question whether we are the sick one, and whether it is what was released."""
    if found.verdict == Verdict.SILENT and not sight.is_clear:
        return replace(found, verdict=Verdict.BLIND, detail=f"the portal sees nobody: {found.detail}")
    if found.verdict == Verdict.GOOD and live and (other := other_commit(found.version, live.commit_sha)):
        named = Deployment.objects.filter(service=live.service_id, commit_sha__startswith=other)
        newest = named.order_by("-created_at").first()
        if newest is None:
            detail = f"answers as {found.version}, which no deploy is known to be; {live.short} was released"
            return replace(found, verdict=Verdict.UNCLEAR, detail=detail)
        if newest.created_at < live.created_at:
            detail = f"answers as {found.version}; {live.short} was released"
            return replace(found, verdict=Verdict.STALE, detail=detail)
    return found  # a later deploy's version is news: Render's listing lags, and it is live already


def _switching(live: Deployment | None) -> bool:
    """Shortly after a release the one before it may still answer."""
    return live is not None and went_live_within(live, SWITCHING)


def _note(service: Service, check: HealthCheck, counts: bool) -> None:
    """What the last probe says, in the service's row; a doubt leaves health and streak as they were."""
    doubt = "" if counts else check.detail
    seen = {
        "health_streak": _streak(service.health_streak, check.healthy) if counts else service.health_streak,
        "probed_at": check.checked_at,
        "latency_ms": check.latency_ms,
        "version": check.version or service.version,
        "health_detail": check.detail,
        "doubt": doubt,
        "doubt_since": (service.doubt_since or check.checked_at) if doubt else None,
    }
    for name, value in seen.items():
        setattr(service, name, value)
    service.save(update_fields=list(seen))


def _streak(before: int, healthy: bool) -> int:
    return max(before, 0) + 1 if healthy else min(before, 0) - 1


def _judge_deployment(live: Deployment) -> None:
    """Healthy after N good probes in a row since it went live; not healthy after two bad ones. What the one before
    answered while they were switched is no word of it."""
    switched = (live.finished_at or live.created_at) + SWITCHING
    said = live.health_checks.exclude(verdict__in=DOUBTS).exclude(verdict=Verdict.STALE, checked_at__lt=switched)
    clear = said.order_by("-checked_at")
    newest = list(clear.values_list("healthy", flat=True)[: max(settings.HEALTH_GOOD_PROBES, BAD_PROBES)])
    if len(newest) >= settings.HEALTH_GOOD_PROBES and all(newest[: settings.HEALTH_GOOD_PROBES]):
        Deployment.objects.filter(pk=live.pk, found_healthy_at=None).update(found_healthy_at=database_time())
        health = Deployment.Health.HEALTHY
    elif len(newest) >= BAD_PROBES and not any(newest[:BAD_PROBES]):
        health = Deployment.Health.UNHEALTHY
    else:
        return
    Deployment.objects.filter(pk=live.pk).exclude(health=health).update(health=health, health_at=database_time())


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
        f"health:{service.render_id}",
        bad,
        subject=f"{service.name} is {health}",
        body=check.detail,
        path=link(service),
        about=service.environment,
        service=service.name,
    )
    if not bad and before == Service.Health.UNKNOWN:
        return
    environment = service.environment_slug
    data = {"service": service.name, "detail": check.detail, "version": check.version}
    record(f"deployments.{health}", actor=SYSTEM, environment=environment, subject=service.name, data=data)


def link(service: Service) -> str:
    """The page from which a rollback is two clicks away: the live deployment's, else the service's."""
    live = service.deployments.filter(status=Status.LIVE).order_by("-created_at").first()
    return page_of(live or service)


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
    now = database_time()
    return [s for s in services if s.pk in undecided or _is_due(s, every, now)]


def _is_due(service: Service, every: timedelta, now: datetime) -> bool:
    if service.probed_at is None or abs(service.health_streak) < settings.HEALTH_GOOD_PROBES:
        return True
    return now - service.probed_at >= every


def prune() -> int:
    """Remove probes older than a fortnight."""
    return HealthCheck.objects.filter(checked_at__lt=database_time() - timedelta(days=KEEP_DAYS)).delete()[0]
