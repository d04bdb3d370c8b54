"""The admin's list and pages of runs: facts, and never edited."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString, mark_safe

from backups.admin.policies import PolicyFilter, export_now
from backups.models import Policy, Run
from backups.web import altered, calendar, coverage, downloads, layers, run_page, trends
from operations.admin.base import ReadOnlyAdmin
from operations.admin.columns import moment, shown
from operations.web import formatting
from operations.web.pages import render_page


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = ["started", "policy", "stored_badge", "proven_badge", "rows_shown", "stored_size", "took", "rto"]
    list_display_links = ["started"]
    list_filter = ["status", "policy__environment", PolicyFilter]
    dated, by = "started_at", "operation__requested_by__username"
    list_select_related = ["policy__environment", "operation"]
    search_fields = ["id__startswith", "manifest_sha256__startswith"]
    change_list_template = "admin/backups/run/change_list.html"
    list_title = "Backup runs"
    empty_title = "No backup runs yet"
    empty_text = "A run copies a policy's tables into the store and proves the copy by restoring it."
    empty_command = "sampelit-ops request backups.export --environment production --set policy=audit-trail"
    started = moment("Run", "started_at")
    took = shown("Copy took", "copy_seconds", formatting.duration, "copy_seconds")
    rto = shown("Restore took (RTO)", "proof_seconds", formatting.duration, "proof_seconds")
    own_pages = [
        ("coverage/", coverage.page, "backups_coverage"),
        ("calendar/", calendar.page, "backups_calendar"),
        ("layers/", layers.page, "backups_layers"),
        ("<str:pk>/csv/<str:table>/", downloads.table_csv, "backups_table_csv"),
        ("<str:pk>/live/", run_page.live, "backups_run_live"),
        ("<str:pk>/segment/<int:position>/", downloads.segment_file, "backups_segment"),
        ("<str:pk>/manifest/", downloads.manifest_file, "backups_manifest"),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        return altered.marked(super().get_queryset(request))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        about = {**(extra_context or {}), **trends.context()}
        return super().changelist_view(request, {**about, **_export(request, about["export_policy"])})

    def page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        context = {**run_page.context(request, object_id)}
        return render_page(request, "admin/backups/run/page.html", context)

    @admin.display(description="Stored")
    def stored_badge(self, row: Run) -> SafeString:
        return run_page.stored_badge(row)

    @admin.display(description="Proven")
    def proven_badge(self, row: Run) -> SafeString:
        return run_page.proven_badge(row) + mark_safe(" ") + altered.badges(row)

    @admin.display(description="Rows", ordering="rows")
    def rows_shown(self, row: Run) -> str:
        return formatting.number(row.rows) if row.is_stored else "–"

    @admin.display(description="Stored size", ordering="stored_bytes")
    def stored_size(self, row: Run) -> str:
        return formatting.size(row.stored_bytes) if row.is_stored else "–"


def _export(request: HttpRequest, policy: Policy | None) -> dict[str, Any]:
    if policy is None:
        return {}
    return {"export": export_now(request, policy, f"Export {policy.name} now", "primary")}
