"""Every periodic job of migrations, with its period in seconds."""

from __future__ import annotations

from deployments.models import Service
from migrations_registry.drift import detect
from migrations_registry.gate import commits, deploy_guard
from migrations_registry.history import readings
from migrations_registry.models import MigrationFile
from migrations_registry.rehearsal import automatic
from migrations_registry.services import uploads
from operations.engine import tick
from operations.periodic.isolation import in_turn


def register() -> None:
    tick.every("migrations_registry.readings", readings.EVERY_SECONDS, readings.refresh_all)
    tick.every("migrations_registry.changed", 10.0, readings.refresh_changed)
    tick.every("migrations_registry.commits", 1.0, commits.read_wanted)
    tick.every("migrations_registry.rehearsals", automatic.EVERY_SECONDS, automatic.rehearse_requests)
    tick.every("migrations_registry.repositories", 3600.0, look_at_repositories)
    tick.every("migrations_registry.uploads", 3600.0, uploads.let_go_of_old)
    tick.every("migrations_registry.drift", detect.EVERY_SECONDS, detect.hourly)


def look_at_repositories() -> None:
    """What a deploy's gate would ask about, and no longer what nobody asks about."""
    in_turn(_look_at_wanted, commits.forget)


def _look_at_wanted() -> None:
    """Of every service that a deploy's gate would ask about, once migrations are registered."""
    if MigrationFile.objects.exists():
        services = Service.objects.filter(removed_at=None).exclude(type=deploy_guard.STATIC).exclude(environment=None)
        repositories = {commits.repository_of(repo) for repo in services.values_list("repo", flat=True)}
        commits.look_at(repositories - {""})
