"""Lifts maintenance mode that outlived its time, so that a dead worker never leaves customers before a closed door."""

from __future__ import annotations

import logging

from django.db import transaction

from deployments.kinds.maintenance import is_needed
from deployments.models import Service
from deployments.render.client import configured, quick
from ledger.services import record
from operations.accounts import SYSTEM
from operations.models import Operation
from operations.models.operation import TERMINAL
from operations.periodic.clock import database_time
from operations.periodic.isolation import Failed, each, tell
from providers.errors import ProviderError

logger = logging.getLogger(__name__)


def lift_forgotten() -> int:
    """Lift what is past its time and no longer held by a running operation; how many were lifted."""
    if not configured():
        return 0
    due = Service.objects.filter(maintenance_until__lt=database_time(), removed_at=None).select_related("environment")
    lifted, failed = 0, Failed()
    for service in due:
        with each(service.name, failed):
            lifted += not _held(service) and _lift(service)
    tell(failed)
    return lifted


def _held(service: Service) -> bool:
    """What a running operation switched on it lifts itself; what it found on, it still counts on."""
    owner = Operation.objects.filter(pk=service.maintenance_operation).exclude(status__in=TERMINAL)
    return owner.exists() or is_needed(service)


def _lift(service: Service) -> bool:
    """Whether it was closed and is seen open now; of one that somebody else opened there is nothing to tell."""
    try:
        api = quick()
        if closed := api.services.get(service.render_id).maintenance.enabled:
            api.services.set_maintenance(service.render_id, False)
        if api.services.get(service.render_id).maintenance.enabled:
            return False
    except ProviderError as error:
        logger.warning("maintenance of %s could not be lifted yet: %s", service.name, error)
        return False
    with transaction.atomic():
        as_read = Service.objects.filter(pk=service.pk, maintenance_until=service.maintenance_until)
        off = {"maintenance": False} if closed else {}  # that somebody else opened it is the next poll's word
        if not as_read.update(maintenance_until=None, maintenance_operation="", **off) or not closed:
            return False
        environment = service.environment_slug
        record(
            "deployments.maintenance_lifted",
            actor=SYSTEM,
            environment=environment,
            subject=service.name,
            data={"service": service.name},
        )
    return True
