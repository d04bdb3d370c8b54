"""The page of one incident: the rows before and after, both verdicts, the run, its holds, the way to resolve it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from backups.models import Hold, Incident
from operations.notes.service import Subject
from operations.web import notes_page
from operations.web.pages import render_page
from operations.web.verbs import asking

SHOWN = 50


def page(request: HttpRequest, object_id: str) -> HttpResponse:
    """GET only; resolving goes through the confirmation page of its operation."""
    if request.method == "POST" or not request.user.has_perm("backups.view_incident"):
        raise PermissionDenied
    runs = [f"{run}__policy__environment" for run in ("run", "baseline_run")]
    rows = Incident.objects.select_related("environment", "policy", *runs)
    incident = rows.filter(pk=object_id).first() if object_id.isdecimal() else None
    if incident is None:
        raise Http404
    context = {
        "title": str(incident),
        "incident": incident,
        "rows": _shown(incident.evidence.get("rows", [])),
        "kept": len(incident.evidence.get("rows", [])),
        "verifier": incident.evidence.get("verify_audit_chain"),
        "holds": list(incident.holds.select_related("run__policy__environment").order_by("placed_at")),
        "seen_in": list(incident.seen_in.order_by("-started_at")[:10]),
        **notes_page.card(request, f"incident-{incident.pk}", incident.environment),
    }
    return render_page(request, "admin/backups/incident/page.html", context)


def subject(key: str) -> Subject | None:
    """What its notes are about."""
    rows = Incident.objects.select_related("environment").defer("evidence")
    row = rows.filter(pk=key).first() if key.isdecimal() else None
    if row is None:
        return None
    url, facts = reverse("admin:backups_incident_change", args=[row.pk]), [f"Found: {row.summary}"]
    facts += [f"Resolved by {row.resolved_by}: {row.reason}"] if row.reason else []
    return Subject(
        str(row), row.environment, row.opened_at, row.resolved_at, url, "backups.view_incident", tuple(facts)
    )


def _shown(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One line a row; of a changed row only the columns that differ, of a removed or added one all that say much."""
    shown = []
    for row in rows[:SHOWN]:
        before, after = row.get("before") or {}, row.get("after") or {}
        differ = [name for name in {**before, **after} if before.get(name) != after.get(name)] or list(before)
        cells = [{"column": name, "before": before.get(name), "after": after.get(name)} for name in differ]
        shown.append({**row, "cells": cells, "gone": bool(before) and not after, "new": bool(after) and not before})
    return shown


def hold(request: HttpRequest, object_id: str) -> HttpResponse:
    """A hold has no page of its own: to the confirmation that releases it, else to its run."""
    if request.method == "POST" or not request.user.has_perm("backups.view_hold"):
        raise PermissionDenied
    row = (
        Hold.objects.select_related("run__policy__environment").filter(pk=object_id).first()
        if object_id.isdecimal()
        else None
    )
    if row is None:
        raise Http404
    way = asking(request.user, "backups.release_hold", row.run.policy.environment, "Release it", hold=str(row.pk))
    if row.released_at is None and not way.why_not:
        return HttpResponseRedirect(way.url)
    return HttpResponseRedirect(reverse("admin:backups_run_change", args=[row.run_id]))
