"""The automatic way back: once for each bad deploy, never after a rollback, never where a vote would be needed."""

from __future__ import annotations

import logging

from django.core.exceptions import PermissionDenied

from deployments.models import Deployment
from operations.accounts import system_user
from operations.engine import kinds
from operations.engine.request import request
from operations.models import Operation, Risk
from providers.errors import Refused

logger = logging.getLogger(__name__)
KIND = "deployments.rollback"


def consider(live: Deployment) -> Operation | None:
    """Request a rollback for a live deploy that was found unhealthy, if its service opted in and it is safe."""
    service = live.service
    if not service.auto_rollback or live.trigger == "rollback" or live.seeded or service.environment is None:
        return None
    reason = f"automatic: {live.render_id} is live but not healthy"
    if Operation.objects.filter(kind=KIND, reason=reason).exists():
        return None
    back = Deployment.objects.superseded().filter(service=service, created_at__lt=live.created_at)
    healthy = back.filter(health=Deployment.Health.HEALTHY).exclude(commit_sha=live.commit_sha)
    target = healthy.order_by("-created_at").first()
    if target is None:
        logger.warning("no automatic rollback of %s: no earlier deploy was seen healthy", service.name)
        return None
    given = {"service": service.render_id, "deployment": target.render_id}
    if kinds.get(KIND).assess(service.environment, given) != Risk.ROUTINE:
        logger.warning("no automatic rollback of %s: it crosses something that is not undone", service.name)
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
