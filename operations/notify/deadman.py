"""The outside dead-man switch: silence there means that nobody here is well enough to speak.

In: heartbeats. Out: one ping to DEADMAN_PING_URL while database, a worker and every canary are fresh.
"""

from __future__ import annotations

import logging

from django.conf import settings

from operations.models import Heartbeat
from operations.models.operation import database_now
from providers import notify
from providers.errors import ProviderError, Refused

logger = logging.getLogger("operations.notify")
_PATIENCE = 4


def ping() -> None:
    """Ping if everything is well; a failing ping is logged, and the silence speaks for itself."""
    if not settings.DEADMAN_PING_URL or not well():
        return
    try:
        notify.ping(settings.DEADMAN_PING_URL)
    except (ProviderError, Refused) as error:
        logger.warning("the dead-man ping failed: %s", error)


def well() -> bool:
    """At least one worker beats and no canary of a served queue is stale; asking proves the database."""
    fresh = database_now(-_PATIENCE * settings.OPS_CANARY_SECONDS)
    workers = Heartbeat.objects.filter(name__startswith="worker:", beat_at__gt=fresh)
    stale = Heartbeat.objects.filter(name__startswith="canary:", beat_at__lte=fresh)
    return workers.exists() and not stale.exists()
