"""A page of deploys against the rows: what is new, what changed, and who started it by Render's own word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from deployments.models import Deployment, Service
from deployments.render.word import differs, is_doubtful
from operations.models import Operation
from operations.models import Status as OperationStatus
from operations.periodic.clock import database_time
from operations.periodic.isolation import Failed, each
from providers.render import Deploy, Render

MOST_DOUBTED = 5  # asked for by their ids in one pass


@dataclass
class SyncReport:
    """What one pass found."""

    services: int = 0
    created: int = 0
    changed: int = 0
    failed: Failed = field(default_factory=Failed)


def said_once(api: Render, service: Service, page: list[Deploy], failed: Failed) -> list[Deploy]:
    """The page without repetitions; a deploy that it has twice, unlike, is asked for by its id."""
    by_id: dict[str, list[Deploy]] = {}
    for deploy in page:
        by_id.setdefault(deploy.id, []).append(deploy)
    told = []
    for name, said in by_id.items():
        with each(f"{service.name} {name}", failed):
            told.append(said[0] if said == [said[0]] * len(said) else api.deploys.get(service.render_id, name))
    return told


@dataclass(frozen=True)
class Page:
    """A page's unknown deploys (without those an operation is about to adopt), its changed ones, and the rows of which
    it is no word."""

    new: list[Deploy]
    changed: list[tuple[Deploy, Deployment]]
    doubted: list[Deployment]


def split(service: Service, page: list[Deploy]) -> Page:
    """The page against the rows."""
    rows = {row.render_id: row for row in service.deployments.filter(render_id__in=[deploy.id for deploy in page])}
    new = [deploy for deploy in page if deploy.id not in rows]
    if new and _operating(service):
        new = [deploy for deploy in new if deploy.trigger not in ("api", "rollback")]
    pairs = [(deploy, rows[deploy.id]) for deploy in page if deploy.id in rows]
    doubted = [row for deploy, row in pairs if is_doubtful(row, deploy)]
    changed = [(deploy, row) for deploy, row in pairs if row not in doubted and differs(row, deploy)]
    return Page(new, changed, doubted[:MOST_DOUBTED])


def _operating(service: Service) -> bool:
    running = Operation.objects.filter(status=OperationStatus.RUNNING, parameters__service=service.render_id)
    return running.filter(kind__in=["deployments.deploy", "deployments.rollback"]).exists()


def started_by(api: Render, service: Service, deploys: Sequence[Deploy]) -> dict[str, str]:
    """Who started these, by deploy id, where Render's events tell. One that is queued has none until it starts."""
    times = [deploy.created_at or database_time() for deploy in deploys]
    first, last = min(times) - timedelta(minutes=1), max(times) + timedelta(days=1)
    end = last if last < database_time() else None
    events = api.events.list(service.render_id, start=first, end=end, type="deploy_started")
    return {event.deploy_id: event.user for event in events if event.user}
