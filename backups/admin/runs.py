"""The admin's list and pages of runs: facts, and never edited."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString, mark_safe

from backups.admin.policies import PolicyFilter, export_now
from backups.models import Policy, Run
from backups.web import altered, calendar, coverage, downloads, layers, run_page, trends
from operations.admin.base import ReadOnlyAdmin
from operations.web import formatting


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

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("coverage/", view(coverage.page), name="backups_coverage"),
            path("calendar/", view(calendar.page), name="backups_calendar"),
            path("layers/", view(layers.page), name="backups_layers"),
            path("<str:pk>/csv/<str:table>/", view(downloads.table_csv), name="backups_table_csv"),
            path("<str:pk>/live/", view(run_page.live), name="backups_run_live"),
            path("<str:pk>/segment/<int:position>/", view(downloads.segment_file), name="backups_segment"),
            path("<str:pk>/manifest/", view(downloads.manifest_file), name="backups_manifest"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        return altered.marked(super().get_queryset(request))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        about = {**(extra_context or {}), **trends.context()}
        return super().changelist_view(request, {**about, **_export(request, about["export_policy"])})

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {**self.admin_site.each_context(request), **run_page.context(request, object_id)}
        return TemplateResponse(request, "admin/backups/run/page.html", context)

    @admin.display(description="Run", ordering="started_at")
    def started(self, row: Run) -> SafeString:
        return formatting.when(row.started_at)

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

    @admin.display(description="Copy took", ordering="copy_seconds")
    def took(self, row: Run) -> str:
        return formatting.duration(row.copy_seconds)

    @admin.display(description="Restore took (RTO)", ordering="proof_seconds")
    def rto(self, row: Run) -> str:
        return formatting.duration(row.proof_seconds)


def _export(request: HttpRequest, policy: Policy | None) -> dict[str, Any]:
    if policy is None:
        return {}
    return {"export": export_now(request, policy, f"Export {policy.name} now", "primary")}
