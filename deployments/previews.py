"""What happens when a preview's time is over: a task reminds us, or its deletion is requested; once for each date."""

from __future__ import annotations

import logging
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import reverse

from deployments.models import Service
from operations.accounts import system_user
from operations.engine.request import request
from operations.models import Task
from operations.notify import enqueue
from operations.periodic.clock import database_time
from operations.periodic.isolation import Failed, each, tell
from providers.errors import Refused

logger = logging.getLogger(__name__)


def end_previews(now: datetime | None = None) -> int:
    """Act on every preview whose time is over; how many there were. Several tickers act once."""
    now = now or database_time()
    due = Service.objects.filter(removed_at=None, preview_ended_at=None, preview_expires_at__lte=now)
    ended, failed = 0, Failed()
    for service in due.exclude(parent_render_id="").select_related("environment"):
        with each(service.name, failed):
            ended += _end(service, now)
    tell(failed)
    return ended


def _end(service: Service, now: datetime) -> bool:
    with transaction.atomic():
        ours = Service.objects.filter(pk=service.pk, preview_ended_at=None).update(preview_ended_at=now)
        if ours and (service.preview_ending == Service.Ending.REMIND or not _delete(service)):
            _remind(service)
    return bool(ours)


def _delete(service: Service) -> bool:
    """Request its deletion; False where the rules refuse that, so that a person is told."""
    if service.environment is None:
        return False
    try:
        with transaction.atomic():
            request(
                "deployments.delete_preview",
                by=system_user("deployments.configure"),
                environment=service.environment,
                parameters={"service": service.render_id},
                reason="its time is over",
                channel="schedule",
            )
    except (Refused, PermissionDenied) as refusal:
        logger.warning("the preview %s was not deleted: %s", service.name, refusal)
        return False
    return True


def _remind(service: Service) -> None:
    day = f"{service.preview_expires_at:%Y-%m-%d}"
    Task.objects.get_or_create(
        dedupe_key=f"preview:{service.render_id}:{day}",
        defaults={
            "kind": Task.Kind.OTHER,
            "title": f"The time of the preview {service.name} is over"[:200],
            "body": f"It was to stay until {day}. Delete it, or keep it until another day. It costs money meanwhile.",
            "environment": service.environment,
        },
    )
    enqueue(
        f"preview:{service.render_id}:{day}",
        subject=f"The time of the preview {service.name} is over",
        body="Delete it or keep it longer.",
        path=reverse("admin:deployments_previews"),
    )
