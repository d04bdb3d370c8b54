"""Each request that waits for votes on a protected environment is rehearsed, without anybody asking. A periodic job."""

from __future__ import annotations

import logging
from datetime import timedelta

from migrations_registry.models.applied import APPLYING, files_of
from migrations_registry.rehearsal.preparation import run_for
from operations.accounts import system_user
from operations.engine.request import request
from operations.engine.specs import Parameters
from operations.models import Operation, Status
from operations.periodic.isolation import one_by_one
from providers.errors import Refused

logger = logging.getLogger("migrations_registry.rehearsal")
REHEARSE = "migrations.rehearse"
PERMISSION = "migrations_registry.rehearse_migrationfile"
EVERY_SECONDS = 10.0
FRESH = timedelta(hours=1)


def rehearse_requests() -> None:
    """One rehearsal a request: one that was asked for shortly before, by whomever, counts, whatever became of it."""
    waiting = Operation.objects.filter(
        kind__in=APPLYING, status=Status.AWAITING_APPROVAL, environment__protected=True, seeded=False
    )
    one_by_one(waiting.select_related("environment")[:50], rehearse_for)


def rehearse_for(operation: Operation) -> None:
    """Each of its files; as a path of every stream was asked for, the others' files run first."""
    together = {name: value for name, value in operation.parameters.items() if name == "streams"}
    for sha256 in files_of(operation):
        _rehearse_file(operation, {"file": sha256, **together})


def _rehearse_file(operation: Operation, parameters: Parameters) -> None:
    environment = operation.environment
    asked = Operation.objects.filter(kind=REHEARSE, environment=environment, parameters=parameters)
    if asked.filter(requested_at__gte=operation.requested_at - FRESH).exists() or run_for(environment) is None:
        return
    try:
        by, why = system_user(PERMISSION), f"{operation.pk} waits for votes"
        request(REHEARSE, by=by, environment=environment, parameters=parameters, reason=why, channel="schedule")
    except Refused as refusal:
        logger.warning("%s was not rehearsed: %s", operation, refusal.reason)
