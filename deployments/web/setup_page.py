"""The set-up wizard: where each step stands, one button that reads everything, and the choice of Supabase projects."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from deployments import onboarding
from operations.models import Environment
from operations.supabase_projects import known_projects, link
from operations.web.pages import render_page
from providers.errors import Refused


@permission_required("deployments.view_service", raise_exception=True)
def page(request: HttpRequest) -> HttpResponse:
    """GET shows; POST reads from Render and stores what it finds."""
    may = request.user.has_perm("operations.change_environment")
    if request.method == "POST":
        if not may:
            raise PermissionDenied
        if request.POST.get("ref"):
            _choose(request)
        _discover(request)
        return redirect("admin:deployments_setup")
    environments = onboarding.environments()
    context = {
        "title": "Set-up",
        "steps": onboarding.steps(environments),
        "may": may,
        "projects": known_projects(),
        "environments": environments,
    }
    return render_page(request, "admin/deployments/setup.html", context)


def _choose(request: HttpRequest) -> None:
    environment = get_object_or_404(Environment, slug=request.POST.get("environment", ""))
    try:
        link(environment, request.POST["ref"], by=request.user.get_username(), how="chosen on the set-up page")
    except Refused as refusal:
        messages.error(request, refusal.reason)


def _discover(request: HttpRequest) -> None:
    lines, errors = onboarding.discover_everything()
    for line in lines:
        messages.success(request, line)
    for error in errors:
        messages.error(request, error)
