"""The first reading of a service's deploys, page by page from the newest to the oldest, in constant memory.

In: the client and a service. Out: rows, and how far it came: a pass that ends early goes on there with the next one.
One ledger entry tells of all of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from django.db import transaction

from deployments.models import Deployment, Service
from deployments.render.listed import SyncReport, said_once, split, started_by
from deployments.render.record_deploy import attribute, observe
from deployments.render.word import facts
from ledger.services import record
from operations.accounts import SYSTEM
from operations.periodic.isolation import each
from providers.http.errors import Rejected
from providers.render import Deploy, Render

Progress = Callable[[str, int], None]


def unheard(name: str, count: int) -> None:
    """Nobody looks."""


def read_history(
    api: Render,
    service: Service,
    report: SyncReport,
    *,
    full: bool = False,
    progress: Progress = unheard,
    until: float | None = None,
) -> None:
    """Read on where the last pass ended, at most until that `time.monotonic()`; `full`: from the newest on again."""
    cursor, read = "" if full else service.history_cursor, 0
    pages = api.deploys.history(service.render_id, cursor)
    while (page := _next(pages, service)) is not None:
        deploys, cursor = page
        _store(api, service, deploys, report, cursor)
        read += len(deploys)
        progress(service.name, read)
        if cursor and until is not None and time.monotonic() > until:
            return
    _complete(service)


def _next(pages: Iterator[tuple[list[Deploy], str]], service: Service) -> tuple[list[Deploy], str] | None:
    """Raises Rejected where Render no longer takes the kept cursor; the next pass begins anew."""
    try:
        return next(pages, None)
    except Rejected:
        _keep(service, "")
        raise


def _store(api: Render, service: Service, page: list[Deploy], report: SyncReport, cursor: str) -> None:
    found = split(service, said_once(api, service, page, report.failed))
    new = found.new
    users = started_by(api, service, new) if new else {}
    with transaction.atomic():
        rows = [_row(service, deploy, users.get(deploy.id, "")) for deploy in new]
        report.created += len(Deployment.objects.bulk_create(rows, ignore_conflicts=True))
        _keep(service, cursor)
    for deploy, row in found.changed:
        with each(f"{service.name} {deploy.id}", report.failed):
            report.changed += observe(service, deploy, row)


def _keep(service: Service, cursor: str) -> None:
    service.history_cursor = cursor[:500]
    Service.objects.filter(pk=service.pk).update(history_cursor=service.history_cursor)


def _row(service: Service, deploy: Deploy, user: str) -> Deployment:
    row = Deployment(service=service, render_id=deploy.id, **facts(deploy))
    attribute(row, user, None)
    return row


@transaction.atomic
def _complete(service: Service) -> None:
    if Service.objects.filter(pk=service.pk, history_complete=False).update(history_complete=True):
        record(
            "deployments.history_read",
            actor=SYSTEM,
            environment=service.environment_slug,
            subject=service.name,
            data={"service": service.name, "deploys": service.deployments.filter(seeded=False).count()},
        )
