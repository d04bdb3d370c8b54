"""Polling, the base of the records: services and their newest deploys, compared with the rows; changes go to `observe`.

A poll with nothing new reads one page per service and writes nothing; the first one reads the whole history.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from deployments.models import Deployment, Service
from deployments.models.deployment import MOVING, Status
from deployments.render.client import note_answer, render
from deployments.render.intent import found_late
from deployments.render.record_deploy import attribute, differs, facts, observe, vanished
from deployments.render.service_rows import fetch, sync_services
from ledger.services import record
from operations.accounts import SYSTEM
from operations.models import Operation
from operations.models import Status as OperationStatus
from operations.periodic.isolation import each
from providers.errors import ProviderError, Refused
from providers.http.errors import Misshapen, NotFound
from providers.render import Deploy, Render

logger = logging.getLogger(__name__)
POLL_PAGE = 20
UNKNOWN_FOR = timedelta(hours=2)
Progress = Callable[[str, int], None]


@dataclass
class SyncReport:
    """What one pass found."""

    services: int = 0
    created: int = 0
    changed: int = 0
    failed: list[str] = field(default_factory=list)


def poll(
    *,
    full: bool = False,
    progress: Progress = lambda name, count: None,
    client: Render | None = None,
    seconds: float | None = None,
) -> SyncReport:
    """One pass over everything; `full` reads every service's whole history again. With `seconds`, no further history
    is begun after that long: what is new comes first, old history goes on with the next pass.

    Raises ProviderError or Refused where Render cannot be asked at all; the state that pages show is noted first.
    """
    api = client or render(deadline=6.0, timeout=(2.0, 5.0))
    report = SyncReport()
    try:
        services = sync_services(api, report.failed)
    except (ProviderError, Refused) as error:
        note_answer(error)
        raise
    report.services = len(services)
    ends = time.monotonic() + seconds if seconds else None
    for service in sorted(services, key=lambda row: not row.history_complete):
        if ends and not service.history_complete and time.monotonic() > ends:
            break
        try:
            _sync_listed(api, service, report, full, progress)
        except Misshapen as error:
            report.failed.append(f"{service.name}: {error.message}")
        except ProviderError as error:
            report.failed.append(f"{service.name}: {error.message}")
            if error.retryable:
                note_answer(error)
                return report
    note_answer(None, unread=report.failed)
    return report


def _sync_listed(api: Render, service: Service, report: SyncReport, full: bool, progress: Progress) -> None:
    """A 404 may mean that the service went since it was listed; only Render's word on the service itself says so."""
    try:
        sync_service(api, service, report, full=full, progress=progress)
    except NotFound:
        if fetch(api, service.render_id) is not None:
            raise


def sync_service(
    api: Render,
    service: Service,
    report: SyncReport,
    *,
    full: bool = False,
    progress: Progress = lambda name, count: None,
) -> None:
    """Bring one service's deployments up to date; the whole history where it was never read to its end."""
    if full or not service.history_complete:
        backfill(api, service, report, progress)
        return
    for page in api.deploys.pages(service.render_id, limit=POLL_PAGE):
        new, changed = _split(service, page)
        if new:
            users = _users(api, service, min(deploy.created_at or timezone.now() for deploy in new))
            for deploy in reversed(new):
                with each(f"{service.name} {deploy.id}", report.failed):
                    late = found_late(service, deploy)
                    report.created += observe(service, deploy, actor=users.get(deploy.id, ""), operation=late)
        for deploy, row in changed:
            with each(f"{service.name} {deploy.id}", report.failed):
                report.changed += observe(service, deploy, row)
        if len(new) < len(page):
            break
    _catch_up(api, service, report)


def _split(service: Service, page: list[Deploy]) -> tuple[list[Deploy], list[tuple[Deploy, Deployment]]]:
    """The page's unknown deploys (without those an operation is about to adopt) and its changed ones."""
    rows = {row.render_id: row for row in service.deployments.filter(render_id__in=[deploy.id for deploy in page])}
    new = [deploy for deploy in page if deploy.id not in rows]
    if new and _operating(service):
        new = [deploy for deploy in new if deploy.trigger not in ("api", "rollback")]
    pairs = [(deploy, rows[deploy.id]) for deploy in page if deploy.id in rows]
    return new, [(deploy, row) for deploy, row in pairs if differs(row, deploy)]


def _operating(service: Service) -> bool:
    running = Operation.objects.filter(status=OperationStatus.RUNNING, parameters__service=service.render_id)
    return running.filter(kind__in=["deployments.deploy", "deployments.rollback"]).exists()


def _catch_up(api: Render, service: Service, report: SyncReport) -> None:
    """Two that claim to be live, and rows that still move, are asked for one by one; a word that we do not know is
    asked about for a few hours only."""
    rows = service.deployments.filter(seeded=False)
    live = list(rows.filter(status=Status.LIVE)[:20])
    young = timezone.now() - UNKNOWN_FOR
    moving = rows.filter(status__in=MOVING).exclude(status=Status.UNKNOWN, finished_at__isnull=False)
    lagging = live[1:] + list(moving.exclude(status=Status.UNKNOWN, first_seen_at__lt=young)[:20])
    asked_lately = timezone.now() - timedelta(seconds=1)
    for row in lagging:
        if row.provider_updated_at is None or row.provider_updated_at < asked_lately:
            with each(f"{service.name} {row.render_id}", report.failed):
                report.changed += _again(api, service, row)


def _again(api: Render, service: Service, row: Deployment) -> bool:
    """Ask for one deploy; one that Render no longer knows is kept."""
    try:
        return observe(service, api.deploys.get(service.render_id, row.render_id), row)
    except NotFound:
        return vanished(row)


def _users(api: Render, service: Service, since: datetime) -> dict[str, str]:
    """Who pressed the button, by deploy id, where Render's events tell."""
    events = api.events.list(service.render_id, start=since - timedelta(minutes=1), type="deploy_started")
    return {event.deploy_id: event.user for event in events if event.user}


def backfill(api: Render, service: Service, report: SyncReport, progress: Progress) -> None:
    """Read the whole history page by page in constant memory; one ledger entry for all of it. May be repeated."""
    users = _users(api, service, datetime.fromisoformat("2019-01-01T00:00:00+00:00"))
    read = 0
    for page in api.deploys.pages(service.render_id):
        new, changed = _split(service, page)
        report.created += len(Deployment.objects.bulk_create(_rows(service, new, users), ignore_conflicts=True))
        for deploy, row in changed:
            report.changed += observe(service, deploy, row)
        read += len(page)
        progress(service.name, read)
    with transaction.atomic():
        if Service.objects.filter(pk=service.pk, history_complete=False).update(history_complete=True):
            environment = service.environment_slug
            record(
                "deployments.history_read",
                actor=SYSTEM,
                environment=environment,
                subject=service.name,
                data={"service": service.name, "deploys": read},
            )


def _rows(service: Service, deploys: Iterable[Deploy], users: dict[str, str]) -> list[Deployment]:
    rows = []
    for deploy in deploys:
        row = Deployment(service=service, render_id=deploy.id, **facts(deploy))
        attribute(row, users.get(deploy.id, ""), None)
        rows.append(row)
    return rows
