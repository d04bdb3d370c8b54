"""The two logs around a deployment: its own, and what the service wrote while it was live; older lines and a file.

In: a deployment, `deploy` or `service`, a moment before which to look. Out: Render's lines, oldest first.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from deployments.models import Deployment
from deployments.models.deployment import WAS_LIVE
from deployments.render.client import quick
from deployments.web import remote
from operations.web.pages import render_page
from providers import outside
from providers.errors import ProviderError, Refused
from providers.redact import redact
from providers.render import Render
from providers.render.records import LogLine

TITLES = {"deploy": "Log of this deploy", "service": "Log of the service"}
PAGE = 100  # Render gives no more at once
FILE_CALLS, FILE_SECONDS = 20, 10.0


def span(row: Deployment, which: str) -> tuple[datetime, datetime, Sequence[str] | None]:
    """From when to when, and which of Render's types: all while it was built, the service's own while it was live."""
    if which == "deploy":
        return row.created_at - timedelta(seconds=5), (row.finished_at or timezone.now()) + timedelta(seconds=30), None
    later = row.service.deployments.filter(
        status__in=WAS_LIVE, created_at__gt=row.created_at, finished_at__isnull=False
    )
    ended = later.order_by("created_at").values_list("finished_at", flat=True).first()
    return row.finished_at or row.created_at, ended or timezone.now(), ["app"]


def lines(api: Render, row: Deployment, which: str, before: datetime | None = None, calls: int = 1) -> list[LogLine]:
    """The newest before that moment; with several calls, so many pages of them, or what ten seconds bring."""
    start, end, types = span(row, which)
    end, until, found = min(end, before or end), time.monotonic() + FILE_SECONDS, dict[str, LogLine]()
    for _ in range(calls):
        service = row.service
        page = api.logs.tail(service.owner_id, [service.render_id], start=start, end=end, type=types, limit=PAGE)
        fresh = {line.id: replace(line, message=redact(line.message)) for line in page if line.id not in found}
        found = fresh | found
        oldest = next(iter(fresh.values()), None)
        if len(page) < PAGE or oldest is None or oldest.at is None or time.monotonic() > until:
            break
        end = oldest.at
    return list(found.values())


@permission_required("deployments.view_deployment", raise_exception=True)
def page(request: HttpRequest, pk: str, which: str) -> HttpResponse:
    """`/admin/deployments/deployment/<pk>/log/<which>/?before=MOMENT`; with `download`, a text file."""
    row = get_object_or_404(Deployment.objects.select_related("service__environment"), pk=pk)
    before = _moment(request.GET.get("before", ""))
    if which not in TITLES:
        raise Http404(f"A deployment has no log {which}.")
    if "download" in request.GET:
        return _file(row, which, before)
    key = f"log:{row.pk}:{which}:{before or row.status}"
    answers, missing = remote.read(key, {"log": lambda api: lines(api, row, which, before)}, 2 if row.moving else 60)
    context = {
        "title": f"{TITLES[which]} · {row}",
        "heading": TITLES[which],
        "row": row,
        "which": which,
        "log": answers.get("log", []),
        "missing": missing,
        "before": before,
        "full": PAGE,
    }
    return render_page(request, "admin/deployments/deployment/log.html", context)


def _file(row: Deployment, which: str, before: datetime | None) -> HttpResponse:
    try:
        with outside.waiting():
            found = lines(quick(), row, which, before, FILE_CALLS)
    except (ProviderError, Refused, outside.Busy) as error:
        return HttpResponse(f"{error} No line was read; ask again later.\n", "text/plain; charset=utf-8", 503)
    text = "".join(f"{line.at:%Y-%m-%dT%H:%M:%S.%fZ} {line.message}\n" for line in found if line.at)
    answer = HttpResponse(text, "text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{row.service.name}-{row.short}-{which}.log"'
    return answer


def _moment(text: str) -> datetime | None:
    try:
        at = parse_datetime(text) if text else None
    except ValueError:
        at = None
    if text and (at is None or timezone.is_naive(at)):
        raise Http404(f"{text!r} is no moment with a time zone.")
    return at
