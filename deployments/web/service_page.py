"""The page of one service: facts, verbs, its newest deployments, and the switches that this portal keeps itself."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from deployments.health.home_card import said_of
from deployments.kinds.maintenance import lifting_curl
from deployments.models import Deployment, Service
from deployments.models.deployment import Status
from deployments.web import charts
from deployments.web.verbs import of_service
from ledger.services import record
from operations.authority import holds
from operations.factors.acts import Binding, digest_of
from operations.factors.step_up import spend
from operations.periodic.clock import database_time
from operations.web.pages import render_page

SWITCHES = {
    "is_self": "This portal runs here, or its secrets do: every verb is refused",
    "auto_rollback": "Roll back by itself, once, when a new deploy is not healthy",
}


def live_deployments() -> Prefetch[Any]:
    """For lists: each service's live deployments in one more query."""
    return Prefetch("deployments", Deployment.objects.filter(status=Status.LIVE), to_attr="live_now")


def live_of(service: Service) -> Deployment | None:
    live: list[Deployment] = getattr(service, "live_now", [])
    return live[0] if live else None


@permission_required("deployments.view_service", raise_exception=True)
def page(request: HttpRequest, pk: str) -> HttpResponse:
    """GET shows; POST stores the switches."""
    service = get_object_or_404(Service.objects.select_related("environment"), pk=pk)
    if request.method == "POST":
        return _switch(request, service)
    checks = list(service.health_checks.order_by("-checked_at")[:60])
    context = {
        "title": service.name,
        "service": service,
        "environment": service.environment,
        "health": said_of(service, database_time()),
        "verbs": of_service(request.user, service),
        "rows": service.deployments.select_related("service").order_by("-created_at")[:12],
        "strip": charts.health_strip(checks) if checks else "",
        "curl": lifting_curl(service.render_id),
        "switches": [(name, label, getattr(service, name)) for name, label in SWITCHES.items()],
        "may_switch": holds(request.user, "deployments.change_service", service.environment),
    }
    return render_page(request, "admin/deployments/service/page.html", context)


def _switch(request: HttpRequest, service: Service) -> HttpResponse:
    if not holds(request.user, "deployments.change_service", service.environment):
        raise PermissionDenied
    wanted = {name: request.POST.get(name) == "on" for name in SWITCHES}
    changed = {name: value for name, value in wanted.items() if getattr(service, name) is not value}
    if changed:
        with transaction.atomic():
            spend(
                request.user.get_username(),
                Binding("deployments.service", service.name, digest_of(service.pk, changed)),
            )
            Service.objects.filter(pk=service.pk).update(**changed)
            environment = service.environment_slug
            switched = {name: [not value, value] for name, value in changed.items()}
            record(
                "deployments.settings_changed",
                actor=request.user.get_username(),
                environment=environment,
                subject=service.name,
                data={"service": service.name, "changed": switched},
            )
        messages.success(request, "Stored.")
    return redirect("admin:deployments_service_change", service.pk)
