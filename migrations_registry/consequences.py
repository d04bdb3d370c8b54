"""What a rollback of the code does not undo, and what a restore of the whole database takes back.

In: an environment and the parameters of a rollback or of a restore at Supabase. Out: lines of its confirmation page.
"""

from __future__ import annotations

from datetime import datetime

from backups.provider.target import target_of
from deployments.models import Deployment
from migrations_registry.models import Application
from operations.engine.specs import Consequence, Parameters
from operations.models import Environment, Risk

SHOWN = 5


def by_a_restore(kind: str, environment: Environment, parameters: Parameters) -> list[Consequence]:
    """Migrations first (they are undone), then deployments (they stay)."""
    at = target_of(kind, environment, parameters).at
    return [*_migrations(environment, at), _deployments(environment, at)]


def _migrations(environment: Environment, at: datetime) -> list[Consequence]:
    since = Application.objects.filter(environment=environment, status__in=["applied", "partly"], ended_at__gt=at)
    rows = list(since.select_related("file").defer("file__content").order_by("-ended_at")[:SHOWN])
    if not rows:
        return [Consequence("No migration was applied from here since then.", "ok")]
    return [
        Consequence(f"Is undone with it: {row.file.name}, applied {row.ended_at:%Y-%m-%d %H:%M} UTC.", "bad")
        for row in rows
    ]


def _deployments(environment: Environment, at: datetime) -> Consequence:
    live = Deployment.objects.filter(
        service__environment=environment, finished_at__gt=at, status__in=["live", "deactivated"], seeded=False
    )
    rows = list(live.select_related("service").order_by("-finished_at")[: SHOWN + 1])
    if not rows:
        return Consequence("Nothing was deployed since then: the code that runs fits that state.", "ok")
    names = ", ".join(f"{row.service.name} {row.commit_sha[:7]}" for row in rows[:SHOWN])
    more = " and others" if len(rows) > SHOWN else ""
    return Consequence(f"Deployed since then and staying: {names}{more}. Roll back what expects newer tables.", "warn")


ROLLBACK_SHOWN = 10


def by_a_rollback(environment: Environment, parameters: Parameters) -> list[Consequence]:
    """One line per migration, newest first; a red line makes the rollback need a vote."""
    target = Deployment.objects.filter(
        render_id=parameters.get("deployment", ""), service__render_id=parameters.get("service", "")
    ).first()
    if target is None:
        return []
    since = Application.objects.filter(
        environment=environment, status__in=["applied", "partly"], ended_at__gt=target.finished_at or target.created_at
    )
    rows = since.select_related("file").defer("file__content").order_by("-ended_at")[:ROLLBACK_SHOWN]
    return [
        Consequence(
            f"Will not be undone: {row.file.name}, {row.get_status_display().lower()} {row.ended_at:%Y-%m-%d %H:%M} UTC"
            + (", which destroys data" if row.file.risk == Risk.DESTRUCTIVE else ""),
            "bad" if row.file.risk == Risk.DESTRUCTIVE or row.status == "partly" else "warn",
        )
        for row in rows
    ]
