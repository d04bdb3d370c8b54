"""The registry's lists and pages. Files are read-only facts; verbs are requests on pages of their own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from migrations_registry.history import status_matrix
from migrations_registry.models import Finding, MigrationFile, Plan, RulePolicy, Waiver
from migrations_registry.models.applied import APPLYING, files_of
from migrations_registry.web import review_page, status_page, upload_page
from operations.admin.base import ReadOnlyAdmin
from operations.admin.columns import moment, shown
from operations.authority import holds_somewhere
from operations.models import Operation, Status
from operations.navigation import page_of_request
from operations.web import formatting


@admin.register(MigrationFile)
class MigrationFileAdmin(ReadOnlyAdmin):
    list_display = [
        "file_name",
        "stream",
        "risk_badge",
        "revision_of",
        "by_environment",
        "registered",
    ]
    list_display_links = ["file_name"]
    list_filter = ["stream", "risk"]
    dated, by = "discovered_at", "discovered_by"
    search_fields = ["path", "sha256__startswith"]
    actions = ["apply"]
    change_list_template = "admin/migrations_registry/migrationfile/change_list.html"
    list_title = "Migrations"
    list_lede = "Newest revision of each file, in the order in which they belong. Open one to review it."
    empty_title = "No migrations yet"
    empty_text = "Register them from a checkout, an archive or a Git repository."
    empty_command = "sampelit-ops discover_migrations DIRECTORY --environment production"
    risk_badge = shown("Risk", "risk", formatting.badge, "risk")
    revision_of = shown("Revision", "revision", str, "revision")
    registered = moment("Registered", "discovered_at")
    page = staticmethod(review_page.page)
    own_pages = [
        ("register/", upload_page.page, "migrations_upload"),
        ("status/", status_page.page, "migrations_status"),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[MigrationFile]:
        """Newest revisions, without their bytes."""
        return MigrationFile.objects.newest().defer("content")

    @admin.action(description="Ask to apply the selected migration", permissions=["apply"])
    def apply(self, request: HttpRequest, rows: QuerySet[MigrationFile]) -> HttpResponse | None:
        row = rows.first()
        if row is None or rows.count() != 1:
            self.message_user(request, "Select exactly one migration. Nothing was requested.", "warning")
            return None
        return redirect(page_of_request("migrations.apply", file=row.sha256))

    def has_apply_permission(self, request: HttpRequest) -> bool:
        """Who may request, wherever."""
        return holds_somewhere(request.user, "migrations_registry.apply_migrationfile")

    @admin.display(description="Migration", ordering="path")
    def file_name(self, row: MigrationFile) -> SafeString:
        return format_html('<span class="mono">{}</span>', row.name)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Where each file stands on each environment, and its newest request there; three queries a list."""
        changelist = super().get_changelist_instance(request)
        rows = Operation.objects.filter(kind__in=APPLYING, seeded=False).select_related("environment")
        newest: dict[str, dict[str, Operation]] = {}
        rows = rows.order_by("-requested_at").only("kind", "status", "parameters", "environment__slug")
        for operation in reversed(rows[:2000]):
            for sha256 in files_of(operation):
                newest.setdefault(sha256, {})[operation.environment.slug] = operation
        cells = status_matrix.cells(changelist.result_list, status_matrix.columns())
        for row in changelist.result_list:
            row.cells, row.newest_requests = cells[row.pk], newest.get(row.sha256, {})
        return changelist

    @admin.display(description="By environment")
    def by_environment(self, row: MigrationFile) -> SafeString | str:
        """The state on each; where a request is under way or did not succeed, that as well."""
        cells, newest = getattr(row, "cells", []), getattr(row, "newest_requests", {})
        asked = {slug: op.status for slug, op in newest.items() if op.status != Status.SUCCEEDED}
        shown = [(cell.environment, formatting.badge(cell.word, cell.tone)) for cell in cells]
        shown += [(f"asked on {slug}", formatting.badge(status)) for slug, status in sorted(asked.items())]
        return format_html_join(" ", '<span class="nowrap">{} {}</span>', shown) or "–"


@admin.register(RulePolicy)
class RulePolicyAdmin(ReadOnlyAdmin):
    change_list_template = "admin/migrations_registry/rulepolicy/change_list.html"
    list_display = ["version", "rows", "bytes", "maintenance_seconds", "keep_bytes", "gate", "created_at", "created_by"]
    dated, by = "created_at", "created_by"
    list_title = "Migration rules"
    list_lede = "The newest version is in force; before the first, the catalogue's own. Changed by an operation."
    empty_title = "The catalogue's own rules are in force"
    empty_text = "Thresholds: 100,000 rows or 100 MB; maintenance mode above 5 s of blocking."
    empty_command = "sampelit-ops request migrations.change_rules --environment production --set rows=50000 --reason …"


@admin.register(Finding)
class FindingAdmin(ReadOnlyAdmin):
    list_display = ["rule", "severity", "file", "line", "message"]
    list_filter = ["severity"]
    list_select_related = ["file"]
    search_fields = ["rule"]
    empty_title = "No findings"


@admin.register(Plan)
class PlanAdmin(ReadOnlyAdmin):
    list_display = ["file", "environment", "risk", "made_at"]
    list_filter = ["environment"]
    dated = "made_at"
    list_select_related = ["file", "environment"]
    empty_title = "No plans yet"


@admin.register(Waiver)
class WaiverAdmin(ReadOnlyAdmin):
    list_display = ["file", "rule", "line", "reason", "requested_by", "approved_by"]
    dated, by = "requested_at", "requested_by"
    list_select_related = ["file"]
    empty_title = "No waivers"
