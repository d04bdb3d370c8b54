"""The page of one application: its journal step by step, how long others waited, what it kept, what comes next."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse

from backups.models import named
from migrations_registry.models import Application
from migrations_registry.models.applied import APPLY, BACKFILL
from operations.web.pages import render_page

TONES = {"applied": "ok", "running": "run"}
STEP_TONES = {"done": "ok", "started": "run", "pending": "idle"}


@permission_required("migrations_registry.view_application", raise_exception=True)
def page(request: HttpRequest, object_id: str) -> HttpResponse:
    """GET only: an application is a record."""
    if request.method not in ("GET", "HEAD"):
        raise PermissionDenied
    rows = Application.objects.select_related("file", "environment").defer("file__content")
    row = rows.filter(pk=object_id).first() if object_id.isdecimal() else None
    if row is None:
        raise Http404
    context = {
        "title": f"{row.file.name} on {row.environment}",
        **facts(row),
    }
    return render_page(request, "admin/migrations_registry/application/page.html", context)


def facts(row: Application) -> dict[str, Any]:
    """What the page says of one attempt."""
    for step in row.steps:
        step["tone"] = STEP_TONES.get(step["status"], "bad")
    operation, run = row.asked_for()
    return {
        "row": row,
        "walked": operation.progress if operation and operation.progress.get("unit") == "keys" else {},
        "tone": TONES.get(row.status, "bad"),
        "operation": operation,
        "kind": BACKFILL if any("marks" in step for step in row.steps) else APPLY,
        "run": run,
        "run_name": named.title_of(run) if run else "",
        "done": sum(step["status"] == "done" for step in row.steps),
        "tries": sum(step["attempts"] for step in row.steps),
        "kept": sum(step.get("kept", {}).get("rows", 0) for step in row.steps if step["status"] == "done"),
    }
