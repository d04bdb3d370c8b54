"""Whether this portal sees at all, asked before silence is called somebody else's fault.

In: what others answered in the same round. Out: yes, as soon as anybody else answers anything: another service,
Render's API, a public address, or whoever the other worker reached meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

from django.conf import settings

from deployments.models import HealthCheck
from operations.periodic.clock import database_time
from providers.http.health_probe import HealthResponse, fetch

PATIENCE_SECONDS = 3.0


class Sight:
    """One round of probing; the witnesses are asked at most once, and only where somebody is silent."""

    def __init__(self, others: Sequence[HealthResponse] = (), began: datetime | None = None) -> None:
        self._others, self._began = others, began or database_time()

    @cached_property
    def is_clear(self) -> bool:
        return (
            any(answer.status for answer in self._others)
            or any(map(_answers, _witnesses()))
            or _seen_since(self._began)
        )


def _witnesses() -> list[str]:
    return [settings.RENDER_API_BASE, *settings.HEALTH_WITNESS_URLS]


def _answers(url: str) -> bool:
    """Any answer of HTTP counts, also a refusal."""
    return fetch(url, allow_private=settings.DEMO, timeout=PATIENCE_SECONDS).status is not None


def _seen_since(moment: datetime) -> bool:
    return HealthCheck.objects.filter(checked_at__gt=moment, status_code__isnull=False).exists()
