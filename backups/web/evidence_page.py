"""The pages of evidence: asking for a period, one report with its downloads, the history of one decision."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe

from backups.archive import keys
from backups.evidence import html
from backups.evidence.decision_history import with_differences
from backups.evidence.service import PERMISSION, TYPES, opened, rendered
from backups.models import EvidenceReport
from backups.stores import configured
from operations.authority import holds_somewhere, places
from operations.models import Environment, Operation, Status
from operations.web.pages import render_page
from providers.errors import Refused

VIEW = "backups.view_evidencereport"
KEYS_FILE, VERIFIER = "public-keys.pem", Path(settings.BASE_DIR) / "bin" / "verify_backup.py"
MOST_SHOWN = 20


def ask(request: HttpRequest) -> dict[str, Any]:
    """What the form above the list needs: the last whole month is filled in."""
    last = timezone.now().date().replace(day=1) - timedelta(days=1)
    return {
        "environments": _offered(request),
        "period_from": last.replace(day=1).isoformat(),
        "period_to": (last + timedelta(days=1)).isoformat(),
        "may_produce": holds_somewhere(request.user, PERMISSION),
        "action": reverse("admin:operations_request", args=["backups.evidence"]),
        "months": _months(last),
    }


def _offered(request: HttpRequest) -> QuerySet[Environment]:
    """Those of which this person may ask for evidence; for whoever may nowhere, the button says so."""
    may = holds_somewhere(request.user, PERMISSION)
    offered = places(request.user, PERMISSION) if may else Environment.objects.all()
    return offered.exclude(kind__in=[Environment.Kind.PREVIEW, Environment.Kind.PORTAL])


def _months(last: date) -> list[tuple[str, str]]:
    """The last six whole months as links: a label and a query."""
    months, day = [], last
    for _ in range(6):
        first = day.replace(day=1)
        end = first + timedelta(days=calendar.monthrange(day.year, day.month)[1])
        months.append((f"{first:%B %Y}", urlencode({"from": first.isoformat(), "to": end.isoformat()})))
        day = first - timedelta(days=1)
    return months


@permission_required(VIEW, raise_exception=True)
def page(request: HttpRequest, pk: str) -> HttpResponse:
    """One kept report, its signature checked at this moment."""
    row = get_object_or_404(EvidenceReport.objects.select_related("environment"), pk=pk)
    context: dict[str, Any] = {
        "title": f"Evidence {row}",
        "row": row,
        "environment": row.environment,
        "tone": html.TONES[row.verdict],
        "forms": sorted(TYPES),
        "unchecked": keys.verifier() is None,
    }
    try:
        signed = opened(row)
    except Refused as refusal:
        context["altered"] = refusal.reason
    else:
        context |= {"signed": signed, "sections": mark_safe(html.fragment(signed))}  # noqa: S308 (it escapes every value)
    return render_page(request, "admin/backups/evidence/page.html", context)


@permission_required(VIEW, raise_exception=True)
def download(request: HttpRequest, pk: str, form: str) -> HttpResponse:
    """The report as a file. An altered one is never given out."""
    row = get_object_or_404(EvidenceReport.objects.select_related("environment"), pk=pk)
    try:
        data = rendered(opened(row), form)
    except Refused as refusal:
        messages.error(request, refusal.reason)
        return redirect("admin:backups_evidencereport_change", row.pk)
    name = f"evidence-{row.environment.slug}-{row.period_from:%Y-%m-%d}-{row.period_to:%Y-%m-%d}.{form}"
    return HttpResponse(
        data, content_type=TYPES[form], headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@permission_required(VIEW, raise_exception=True)
def decision(request: HttpRequest) -> HttpResponse:
    """The history of one decision: the form, and what the last traces found."""
    asked = Operation.objects.filter(kind="backups.trace_decision").select_related("environment", "requested_by")
    rows = list(asked.order_by("-requested_at").defer("log")[:MOST_SHOWN])
    if wanted := request.GET.get("operation"):
        shown: Operation | None = get_object_or_404(asked, pk=wanted)
    else:
        shown = next((row for row in rows if row.status == Status.SUCCEEDED), None)
    context = {
        "title": "History of one decision",
        "rows": rows,
        "shown": shown,
        "history": with_differences(shown.result.get("history", [])) if shown else [],
        "environments": _offered(request),
        "may": holds_somewhere(request.user, PERMISSION),
        "action": reverse("admin:operations_request", args=["backups.trace_decision"]),
    }
    return render_page(request, "admin/backups/evidence/decision.html", context)


@permission_required(VIEW, raise_exception=True)
def offline(request: HttpRequest) -> HttpResponse:
    """How to check without this portal: the public keys, the one-file verifier, where the copies lie, the commands."""
    context = {
        "title": "Verify offline",
        "keys": [verifier.key_id for verifier in keys.verifiers()],
        "stores": sorted(configured.known().items(), key=lambda store: store[1]),
        "month": (timezone.now().date().replace(day=1) - timedelta(days=1)).strftime("%Y-%m"),
    }
    return render_page(request, "admin/backups/evidence/offline.html", context)


@permission_required(VIEW, raise_exception=True)
def offline_file(request: HttpRequest, name: str) -> HttpResponse:
    """One of the two files of that page; nothing in them is secret."""
    files = {KEYS_FILE: lambda: keys.public_pem().encode(), VERIFIER.name: VERIFIER.read_bytes}
    if name not in files or (name == KEYS_FILE and not keys.verifiers()):
        raise Http404(f"There is no file {name}.")
    answer = HttpResponse(files[name](), content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
