"""The automatic way back: once for each bad deploy, never after a rollback, never where a vote would be needed.

Only for a release that is young, was never found healthy, and itself says that it is not well, while Render answers.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Q

from deployments.health.assessment import Verdict
from deployments.health.sight import Sight
from deployments.models import Deployment, Service, SyncState
from deployments.models.deployment import Status as Released
from deployments.render.client import quick
from deployments.render.record_deploy import observe
from deployments.render.service_rows import fetch
from operations.accounts import SYSTEM, system_user
from operations.engine import kinds
from operations.engine.request import request
from operations.models import Heartbeat, Operation, Risk, Status
from operations.models.operation import database_now
from operations.periodic.clock import database_time
from providers.errors import ProviderError, Refused
from providers.render import Render

logger = logging.getLogger(__name__)
KIND = "deployments.rollback"
BAD_PROBES = 2
AHEAD = timedelta(minutes=5)  # that the clock at Render may be
LATE_SECONDS = 120.0
PATIENCE = timedelta(minutes=10)  # with a deploy that somebody began
WATCH_WINDOW = timedelta(minutes=30)  # how long a release is taken back by itself


def consider(live: Deployment, sight: Sight) -> Operation | None:
    """Request a rollback for a live deploy that was found unhealthy, if its service opted in and it is safe."""
    service = live.service
    if not service.auto_rollback or live.trigger == "rollback" or live.seeded or service.environment is None:
        return None
    if service.suspended or not _is_to_blame(live) or _record_lags(service) or not sight.is_clear:
        return None
    reason = _reason(live)
    if Operation.objects.filter(kind=KIND, reason=reason, requested_by__username=SYSTEM).exists() or _in_hand(live):
        return None
    target = _target(live)
    if target is None:
        logger.warning("no automatic rollback of %s: no earlier deploy was seen healthy", service.name)
        return None
    given = {"service": service.render_id, "deployment": target.render_id}
    if kinds.get(KIND).assess(service.environment, given) != Risk.ROUTINE:
        logger.warning("no automatic rollback of %s: it crosses something that is not undone", service.name)
        return None
    if not _serves(service):
        return None
    try:
        return request(
            KIND,
            by=system_user("deployments.rollback"),
            environment=service.environment,
            parameters=given,
            reason=reason,
            channel="portal",
        )
    except (Refused, PermissionDenied) as refusal:
        logger.warning("no automatic rollback of %s: %s", service.name, refusal)
        return None


def _target(live: Deployment) -> Deployment | None:
    """The newest earlier one that was seen healthy and is something else; one of images has no commit."""
    back = Deployment.objects.superseded().filter(service=live.service, created_at__lt=live.created_at)
    if live.commit_sha:
        back = back.exclude(commit_sha=live.commit_sha)
    elif live.image:
        back = back.exclude(image=live.image)
    return back.filter(health=Deployment.Health.HEALTHY).order_by("-created_at").first()


def _reason(live: Deployment) -> str:
    return f"automatic: {live.render_id} is live but not healthy"


def _in_hand(live: Deployment) -> bool:
    """Somebody rolls back, or began another deploy just now: what that comes to is judged when it has ended."""
    going = Operation.objects.filter(status__in=[Status.QUEUED, Status.RUNNING]).exclude(deployments=live)
    of_it = going.filter(parameters__service=live.service.render_id)
    lately = database_now(-PATIENCE.total_seconds())
    return of_it.filter(Q(kind=KIND) | Q(kind="deployments.deploy", requested_at__gt=lately)).exists()


def refuse_outdated(api: Render, operation: Operation, service: Service) -> None:
    """Before an automatic rollback changes anything: the release that it takes away is still the one that is live, and
    not well. Raises Refused; what a person asked for is done."""
    if operation.requested_by.get_username() != SYSTEM:
        return
    for row in service.deployments.filter(status=Released.LIVE)[:2]:
        observe(service, api.deploys.get(service.render_id, row.render_id), row, by_id=True)
    live = list(service.deployments.filter(status=Released.LIVE)[:2])
    if [_reason(row) for row in live] != [operation.reason] or live[0].health != Deployment.Health.UNHEALTHY:
        raise Refused(
            f"What is live on {service.name} is no longer the release that was found not healthy, or is well by now. "
            "Nothing was changed. Look at its page; roll back by hand if that is still wanted."
        )


def _is_to_blame(live: Deployment) -> bool:
    """A new release that was never healthy and whose own last answers say so; not silence, not an older version."""
    clear = live.health_checks.exclude(verdict__in=[Verdict.UNCLEAR, Verdict.BLIND]).order_by("-checked_at")
    said = list(clear.values_list("verdict", flat=True)[:BAD_PROBES])
    return went_live_within(live, WATCH_WINDOW) and live.found_healthy_at is None and said == [Verdict.BAD] * BAD_PROBES


def _serves(service: Service) -> bool:
    """By Render's word of now: what answers while it is suspended or in maintenance is Render's page."""
    try:
        now = fetch(quick(), service.render_id)
    except (ProviderError, Refused) as error:
        logger.warning("no automatic rollback of %s: Render does not say how it stands: %s", service.name, error)
        return False
    return now is not None and not now.suspended and not now.maintenance


def went_live_within(live: Deployment, window: timedelta) -> bool:
    """Whether it is so young; one that went live in times to come, by Render's word, is not."""
    return -AHEAD < database_time() - (live.finished_at or live.created_at) < window


def _record_lags(service: Service) -> bool:
    """Then what is live may be another deploy by now: Render did not answer, or was not asked lately."""
    state = SyncState.objects.filter(pk=1).first()
    late = database_now(-max(LATE_SECONDS, 5 * settings.RENDER_POLL_SECONDS))
    unasked = Heartbeat.objects.filter(name="job:deployments.poll", beat_at__lt=late).exists()
    return unasked or (state is not None and state.may_lag(service.name))
