"""Which environments a group of variables reaches through its services, and which of them decides."""

from __future__ import annotations

from collections.abc import Iterable

from deployments.models import Service
from operations.models import Environment, Risk

RISK = Risk.SENSITIVE


def places(services: Iterable[Service]) -> list[Environment]:
    """The services' environments; one that belongs to none could be anybody's, so that all are meant."""
    known = [service.environment for service in services]
    return [place for place in known if place] if all(known) else list(Environment.objects.all())


def strictest(services: Iterable[Service]) -> Environment | None:
    """Of the services' environments, the one whose rules decide."""
    places = {service.environment for service in services if service.environment}
    return max(
        places,
        key=lambda environment: (environment.protected, environment.votes(RISK), environment.slug),
        default=None,
    )
