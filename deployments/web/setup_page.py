"""The set-up wizard: where each step stands, and one button that reads everything from Render."""

from __future__ import annotations

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from deployments import setup
from providers.errors import Refused


def page(request: HttpRequest) -> HttpResponse:
    """GET shows; POST reads from Render and stores what it finds."""
    if not request.user.has_perm("deployments.view_service"):
        raise PermissionDenied
    may = request.user.has_perm("operations.change_environment")
    if request.method == "POST":
        if not may:
            raise PermissionDenied
        _discover(request)
        return redirect("admin:deployments_setup")
    context = {**admin.site.each_context(request), "title": "Set-up", "steps": setup.steps(), "may": may}
    return TemplateResponse(request, "admin/deployments/setup.html", context)


def _discover(request: HttpRequest) -> None:
    try:
        told, error = setup.safe_discover()
    except Refused as refusal:
        told, error = [], refusal.reason
    for line in told:
        messages.success(request, line)
    if error:
        messages.error(request, error)
