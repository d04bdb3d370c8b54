"""What a rollback of the code does not undo: migrations applied since its target went live, red where rows are gone."""

from __future__ import annotations

from deployments.models import Deployment
from migrations_registry.models import Application
from operations.engine.specs import Consequence, Parameters
from operations.models import Environment, Risk

SHOWN = 10


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
    rows = since.select_related("file").defer("file__content").order_by("-ended_at")[:SHOWN]
    return [
        Consequence(
            f"will not be undone: {row.file.name}, {row.get_status_display().lower()} {row.ended_at:%Y-%m-%d %H:%M} UTC"
            + (", which destroys data" if row.file.risk == Risk.DESTRUCTIVE else ""),
            "bad" if row.file.risk == Risk.DESTRUCTIVE or row.status == "partly" else "warn",
        )
        for row in rows
    ]
