"""The lists of drift incidents and of applications: facts, read-only."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from migrations_registry.models import Application, DriftIncident
from migrations_registry.web import application_page, drift_page
from operations.admin.base import ReadOnlyAdmin
from operations.web import formatting


@admin.register(DriftIncident)
class DriftIncidentAdmin(ReadOnlyAdmin):
    list_display = ["what", "state", "environment", "opened_at", "resolved_by", "resolved_at"]
    list_display_links = ["what"]
    list_filter = ["status", "environment"]
    dated, by = "opened_at", "resolved_by"
    list_select_related = ["environment"]
    list_title = "Drift"
    list_lede = "Schema changes that no operation made. The schema of each environment is looked at every hour."
    empty_title = "No drift"
    empty_text = "Every change of the schema so far was made by an operation."
    page = staticmethod(drift_page.page)

    def get_queryset(self, request: HttpRequest) -> QuerySet[DriftIncident]:
        return super().get_queryset(request).defer("around")

    @admin.display(description="Incident")
    def what(self, row: DriftIncident) -> str:
        return str(row)

    @admin.display(description="Status", ordering="status")
    def state(self, row: DriftIncident) -> SafeString:
        return formatting.badge(row.status, "bad" if row.status == DriftIncident.Status.OPEN else "ok")


@admin.register(Application)
class ApplicationAdmin(ReadOnlyAdmin):
    list_display = ["file", "environment", "state", "started_at", "ended_at", "waited"]
    list_filter = ["status", "environment"]
    dated = "started_at"
    list_select_related = ["file", "environment"]
    list_title = "Applications"
    empty_title = "Nothing applied yet"
    empty_text = "Each attempt to apply a migration appears here with its journal."
    page = staticmethod(application_page.page)

    @admin.display(description="Status", ordering="status")
    def state(self, row: Application) -> SafeString:
        return formatting.badge(row.get_status_display(), application_page.TONES.get(row.status, "bad"))

    @admin.display(description="Longest wait for a lock", ordering="longest_wait_ms")
    def waited(self, row: Application) -> str:
        return f"{row.longest_wait_ms:,} ms"
