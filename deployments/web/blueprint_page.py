"""The render.yaml of one environment: what differs, and a form to give the file or read it from the repository."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from deployments.blueprint import service as blueprint_service
from deployments.blueprint.parse import MAX_BYTES
from deployments.blueprint.rules.check import check
from deployments.models import BlueprintFile
from deployments.render.client import configured, quick
from operations.models import Environment
from operations.web.body_limit import BodyLimit, takes
from operations.web.pages import render_page
from providers.errors import Refused
from providers.redact import redact

MOST_FAULTS = 12  # shown at once; the shell's validate_blueprint prints all


@takes(BodyLimit(body=4 * MAX_BYTES, field=MAX_BYTES, permission="deployments.view_service"))  # 4: as a form encodes it
@permission_required("deployments.view_service", raise_exception=True)
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """GET shows what differs; POST takes a pasted or uploaded file, keeps no value of it, and asks Render about it."""
    environment = get_object_or_404(Environment.objects.select_related("blueprint"), slug=slug)
    if request.method == "POST":
        if not blueprint_service.may_read(request.user, environment):
            raise PermissionDenied
        return _take(request, environment)
    file: BlueprintFile | None = getattr(environment, "blueprint", None)
    context = {
        "title": f"render.yaml of {environment.name}",
        "environment": environment,
        "may": blueprint_service.may_read(request.user, environment),
        "file": file,
        "differences": file.differences if file else [],
    }
    return render_page(request, "admin/deployments/blueprint.html", context)


def _take(request: HttpRequest, environment: Environment) -> HttpResponse:
    given = request.FILES.get("file")
    if given is not None and given.size and given.size > MAX_BYTES:
        content = b"x" * (MAX_BYTES + 1)
    else:
        content = given.read() if given is not None else request.POST.get("text", "").encode()
    try:
        if not content.strip():
            raise Refused("Give a file or its text. Nothing was read.")
        user: Any = request.user
        row = blueprint_service.store_blueprint(
            environment, blueprint_service.SourceFile(content), by=user, api=quick() if configured() else None
        )
        for fault in check(content)[:MOST_FAULTS]:
            (messages.error if fault.tone == "bad" else messages.warning)(request, redact(str(fault)))
        if row.valid is False:
            messages.error(request, f"Render finds it invalid: {row.verdict}")
        messages.success(request, "Read and compared. Its settings and names are kept, no value of it.")
    except Refused as refusal:
        messages.error(request, refusal.reason)
    return redirect("admin:deployments_blueprint", environment.slug)
