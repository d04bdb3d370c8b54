"""What the registry of migrations offers the rest of the portal: periodic readings and the gate of deploys."""

from __future__ import annotations

from deployments.models import Service
from migrations_registry import commits, deploys, doctor, readings
from migrations_registry.models import MigrationFile
from operations.engine import kinds, tick


def register() -> None:
    """Fill the registries of operations; called once when the apps are ready."""
    tick.every("migrations_registry.readings", readings.EVERY_SECONDS, readings.refresh_all)
    tick.every("migrations_registry.changed", 10.0, readings.refresh_changed)
    tick.every("migrations_registry.repositories", 3600.0, look_at_repositories)
    doctor.offer()
    kinds.consequences(deploys.KIND, deploys.tell)
    kinds.guards(deploys.KIND, deploys.refuse)


def look_at_repositories() -> None:
    """Of every service that a deploy's gate would ask about, once migrations are registered."""
    if MigrationFile.objects.exists():
        found = Service.objects.filter(removed_at=None).exclude(type=deploys.STATIC).exclude(environment=None)
        named = {commits.repository_of(repo) for repo in found.values_list("repo", flat=True)}
        commits.look_at(named - {""})
    commits.forget()
