"""The admin's list and page of advisors' findings; a person ignores one with a reason, or takes that back."""

from __future__ import annotations

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.html import format_html
from django.utils.safestring import SafeString

from deployments.functions import advisors
from deployments.models import AdvisorFinding
from operations.admin.base import ReadOnlyAdmin
from operations.admin.columns import moment
from operations.authority import holds
from operations.web import formatting
from operations.web.pages import render_page
from providers.errors import Refused

TONES = {"ERROR": "bad", "WARN": "warn", "INFO": "idle"}
STATES = {"open": "warn", "resolved": "ok", "ignored": "idle"}
PERMISSION = "deployments.ignore_finding"


@admin.register(AdvisorFinding)
class AdvisorFindingAdmin(ReadOnlyAdmin):
    list_display = ["what", "level_badge", "state", "advisor", "environment", "about", "since", "seen"]
    list_display_links = ["what"]
    list_filter = ["status", "level", "advisor", "environment"]
    dated, by = "first_seen_at", "ignored_by"
    list_select_related = ["environment"]
    search_fields = ["name", "detail"]
    list_title = "Advisors"
    list_lede = "What Supabase's security and performance advisors say, from first sight to resolution"
    empty_title = "No findings"
    empty_text = "The advisors are asked every few minutes once SUPABASE_ACCESS_TOKEN is set."
    empty_command = "sampelit-ops sync_functions"
    since = moment("First seen", "first_seen_at")
    seen = moment("Last seen", "last_seen_at")

    def page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """GET shows; POST ignores or reopens."""
        finding = get_object_or_404(AdvisorFinding.objects.select_related("environment"), pk=object_id)
        if request.method == "POST":
            return _act(request, finding)
        context = {
            "title": finding.title,
            "finding": finding,
            "environment": finding.environment,
            "may": holds(request.user, PERMISSION, finding.environment),
            "level_tone": TONES.get(finding.level, "idle"),
            "state_tone": STATES[finding.status],
        }
        return render_page(request, "admin/deployments/function/finding.html", context)

    @admin.display(description="Finding", ordering="title")
    def what(self, row: AdvisorFinding) -> SafeString:
        return format_html("{}", row.title)

    @admin.display(description="Level", ordering="level")
    def level_badge(self, row: AdvisorFinding) -> SafeString:
        return formatting.badge(row.level, TONES.get(row.level, "idle"))

    @admin.display(description="Status", ordering="status")
    def state(self, row: AdvisorFinding) -> SafeString:
        return formatting.badge(row.status, STATES[row.status])

    @admin.display(description="About")
    def about(self, row: AdvisorFinding) -> str:
        return row.detail[:160]


def _act(request: HttpRequest, finding: AdvisorFinding) -> HttpResponse:
    if not holds(request.user, PERMISSION, finding.environment):
        raise PermissionDenied
    by = request.user.get_username()
    try:
        if request.POST.get("verb") == "reopen":
            advisors.reopen(finding, by)
        else:
            advisors.ignore(finding, by, request.POST.get("reason", ""))
    except Refused as refusal:
        messages.error(request, refusal.reason)
    else:
        messages.success(request, "Stored.")
    return redirect("admin:deployments_advisorfinding_change", finding.pk)
