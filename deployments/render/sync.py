"""Polling, the base of the records: services and their newest deploys, compared with the rows; changes go to `observe`.

A poll with nothing new reads one page per service and writes nothing; the first one reads the whole history.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Sequence
from datetime import timedelta

from deployments.models import Deployment, Service
from deployments.models.deployment import GONE, MOVING, Status
from deployments.render.client import note_answer, render
from deployments.render.history import Progress, read_history, unheard
from deployments.render.intent import found_late
from deployments.render.listed import SyncReport, said_once, split, started_by
from deployments.render.record_deploy import observe, vanished
from deployments.render.service_rows import fetch, sync_services
from operations.engine.tick import NEVER
from operations.periodic.clock import database_time
from operations.periodic.isolation import each
from providers.errors import ProviderError, Refused
from providers.http.errors import NotFound
from providers.render import Deploy, Render

logger = logging.getLogger(__name__)
POLL_PAGE = 20
UNKNOWN_FOR = timedelta(hours=2)
NAMELESS = timedelta(minutes=5)


def poll(
    *,
    full: bool = False,
    progress: Progress = unheard,
    client: Render | None = None,
    seconds: float | None = None,
) -> SyncReport:
    """One pass over everything; `full` reads every service's whole history again. With `seconds`, no further history
    is begun or read on after that long: what is new comes first, old history goes on with the next pass.

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
    behind = [service for service in services if not service.history_complete]
    known = [service for service in services if service.history_complete]
    random.shuffle(known)  # what ends this pass early ends the next one elsewhere
    try:
        for service in [*known, *behind]:
            if ends and service in behind[1:] and time.monotonic() > ends:
                break
            with each(service.name, report.failed):
                _sync_listed(api, service, report, full, progress, ends)
    except ProviderError as error:
        note_answer(error)
        return report
    note_answer(None, unread=report.failed)
    return report


def _sync_listed(
    api: Render, service: Service, report: SyncReport, full: bool, progress: Progress, until: float | None
) -> None:
    """A 404 may mean that the service went since it was listed; only Render's word on the service itself says so."""
    try:
        sync_service(api, service, report, full=full, progress=progress, until=until)
    except NotFound:
        if fetch(api, service.render_id) is not None:
            raise


def sync_service(
    api: Render,
    service: Service,
    report: SyncReport,
    *,
    full: bool = False,
    progress: Progress = unheard,
    until: float | None = None,
) -> None:
    """Bring one service's deployments up to date; the whole history where it was never read to its end."""
    if not full and (service.history_complete or service.history_cursor):
        _read_newest(api, service, report)
    if full or not service.history_complete:
        read_history(api, service, report, full=full, progress=progress, until=until)
        return
    _catch_up(api, service, report)


def _read_newest(api: Render, service: Service, report: SyncReport) -> None:
    """Page by page until one has nothing new."""
    for listed in api.deploys.pages(service.render_id, limit=POLL_PAGE):
        page = said_once(api, service, listed, report.failed)
        found = split(service, page)
        if new := found.new:
            users = _who(api, service, new)
            for deploy in reversed(new):
                with each(f"{service.name} {deploy.id}", report.failed):
                    user = users.get(deploy.id, "")
                    late = found_late(api, service, deploy, new, user)
                    report.created += observe(service, deploy, actor=user, operation=late)
        for deploy, row in found.changed:
            with each(f"{service.name} {deploy.id}", report.failed):
                report.changed += observe(service, deploy, row)
        for row in found.doubted:
            with each(f"{service.name} {row.render_id}", report.failed):
                report.changed += _again(api, service, row)
        if len(new) < len(page):
            break


def _who(api: Render, service: Service, new: Sequence[Deploy]) -> dict[str, str]:
    """Who started these. That Render does not say keeps no deploy from its record for longer than a few minutes."""
    try:
        return started_by(api, service, new)
    except ProviderError as error:
        known_since = min(deploy.created_at or NEVER for deploy in new)
        if error.retryable and known_since > database_time() - NAMELESS:
            raise
        logger.warning("who deployed %s could not be read: %s", service.name, error)
        return {}


def _catch_up(api: Render, service: Service, report: SyncReport) -> None:
    """Two that claim to be live, and rows that still move, are asked for one by one; a word that we do not know is
    asked about for a few hours only."""
    rows = service.deployments.filter(seeded=False)
    live = list(rows.filter(status=Status.LIVE)[:20])
    young = database_time() - UNKNOWN_FOR
    moving = rows.filter(status__in=MOVING).exclude(status=Status.UNKNOWN, finished_at__isnull=False)
    lagging = live[1:] + list(moving.exclude(status=Status.UNKNOWN, first_seen_at__lt=young)[:20])
    asked_lately = database_time() - timedelta(seconds=1)
    for row in lagging:
        if row.provider_updated_at is None or row.provider_updated_at < asked_lately:
            with each(f"{service.name} {row.render_id}", report.failed):
                report.changed += _again(api, service, row)


def _again(api: Render, service: Service, row: Deployment) -> bool:
    """Ask for one deploy; one that Render no longer knows is kept."""
    try:
        return observe(service, api.deploys.get(service.render_id, row.render_id), row, by_id=True)
    except NotFound:
        return row.provider_status != GONE and vanished(row)
