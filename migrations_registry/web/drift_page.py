"""The page of one drift incident: what changed, the SQL of both sides, who was about, the form that accepts it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from migrations_registry.drift import detect as drift_detect
from migrations_registry.models import DriftIncident, MigrationFile
from operations.authority import holds
from operations.notes.service import Subject
from operations.web import notes_page
from operations.web.pages import render_page
from providers.errors import Refused

MAY_RESOLVE = "migrations_registry.resolve_driftincident"


@permission_required("migrations_registry.view_driftincident", raise_exception=True)
def page(request: HttpRequest, object_id: str) -> HttpResponse:
    """GET shows; POST accepts with a reason (and a registered migration that explains it)."""
    rows = DriftIncident.objects.select_related("environment", "expected", "file")
    incident = rows.defer("expected__objects_json").filter(pk=object_id).first() if object_id.isdecimal() else None
    if incident is None:
        raise Http404
    may = holds(request.user, MAY_RESOLVE, incident.environment)
    if request.method == "POST":
        if not may:
            raise PermissionDenied
        return _resolve(request, incident)
    files = MigrationFile.objects.newest().only("path", "sha256") if may and incident.status == "open" else []
    context = {
        **notes_page.card(request, f"drift-{incident.pk}", incident.environment),
        "title": str(incident),
        "incident": incident,
        "may": may,
        "files": files,
    }
    return render_page(request, "admin/migrations_registry/driftincident/page.html", context)


def subject(key: str) -> Subject | None:
    """What its notes are about."""
    row = DriftIncident.objects.select_related("environment").filter(pk=key).first() if key.isdecimal() else None
    if row is None:
        return None
    url = reverse("admin:migrations_registry_driftincident_change", args=[row.pk])
    facts = [f"{each['kind']} {each['name']} {each['change']}" for each in row.changes[:20]]
    facts += [f"{row.get_status_display()} by {row.resolved_by}: {row.reason}"] if row.reason else []
    sees = "migrations_registry.view_driftincident"
    return Subject(str(row), row.environment, row.opened_at, row.resolved_at, url, sees, tuple(facts))


def _resolve(request: HttpRequest, incident: DriftIncident) -> HttpResponse:
    file = MigrationFile.objects.filter(sha256=request.POST.get("file") or "-").first()
    if request.POST.get("found") != str(incident.found_id):
        messages.error(request, "The schema changed again while you looked. Nothing was changed; look once more.")
        return redirect("admin:migrations_registry_driftincident_change", incident.pk)
    try:
        drift_detect.resolve(incident, by=request.user.get_username(), reason=request.POST.get("reason", ""), file=file)
        messages.success(request, "Accepted. This schema is the expected one from now on.")
    except Refused as refusal:
        messages.error(request, refusal.reason)
    return redirect("admin:migrations_registry_driftincident_change", incident.pk)
