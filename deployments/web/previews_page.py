"""Preview environments: age, parent, when each is due to go, and the verb that removes a stale one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse

from deployments.models import Service
from deployments.models.service import STALE_PREVIEW_DAYS
from deployments.web.verbs import verb
from operations.periodic.clock import database_time
from operations.web.pages import render_page


@permission_required("deployments.view_service", raise_exception=True)
def page(request: HttpRequest) -> HttpResponse:
    """Oldest first: those are the ones to remove."""
    previews = Service.objects.filter(removed_at=None).exclude(parent_render_id="").select_related("environment")
    names = dict(Service.objects.values_list("render_id", "name"))
    rows = [row(request, service, names) for service in previews.order_by("created_at")]
    context = {"title": "Previews", "rows": rows, "days": STALE_PREVIEW_DAYS}
    return render_page(request, "admin/deployments/previews.html", context)


def row(request: HttpRequest, service: Service, names: dict[str, str]) -> dict[str, Any]:
    """One preview; it is stale after a fortnight, unless somebody gave it another day to go."""
    ends = service.preview_ends
    day = (database_time() + timedelta(days=STALE_PREVIEW_DAYS)).date().isoformat()
    return {
        "service": service,
        "parent": names.get(service.parent_render_id, service.parent_render_id),
        "ends": ends,
        "stale": ends is not None and ends < database_time(),
        "then": service.get_preview_ending_display() if service.preview_expires_at else "Remind us",
        "verbs": [
            verb(request.user, "deployments.keep_preview", service, "Keep until …", until=day, then="remind"),
            verb(request.user, "deployments.delete_preview", service, "Delete", tone="danger"),
        ],
    }
