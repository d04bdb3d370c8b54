"""The lists of incidents and of legal holds: facts, read-only; what can be done leads to the confirmation page."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from backups.models import Hold, Incident
from backups.web import incident_page
from operations.admin.base import ReadOnlyAdmin
from operations.admin.columns import moment
from operations.web import formatting


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    list_display = ["what", "state", "environment", "total", "opened_at", "resolved_by", "resolved_at"]
    list_display_links = ["what"]
    list_filter = ["status", "environment", "code"]
    dated, by = "opened_at", "resolved_by"
    list_select_related = ["environment"]
    list_title = "Incidents"
    list_lede = "What two proven runs say must never happen to the audit data. Each stays until a person resolves it."
    empty_title = "No incidents"
    empty_text = "Every run so far held what the run before it held, and no more than new rows and first conversions."
    page = staticmethod(incident_page.page)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Incident]:
        return super().get_queryset(request).defer("evidence")

    @admin.display(description="Incident")
    def what(self, row: Incident) -> str:
        return str(row)

    @admin.display(description="Status", ordering="status")
    def state(self, row: Incident) -> SafeString:
        return formatting.badge("altered" if row.status == Incident.Status.OPEN else row.status, tone(row))


def tone(row: Incident) -> str:
    return "bad" if row.status == Incident.Status.OPEN else "ok"


@admin.register(Hold)
class HoldAdmin(ReadOnlyAdmin):
    list_display = ["placed", "run", "reason", "placed_by", "state", "released_by"]
    list_filter = ["released_at", "run__policy__environment"]
    dated, by = "placed_at", "placed_by"
    list_select_related = ["run__policy__environment"]
    list_title = "Legal holds"
    list_lede = "Runs that are never removed, whatever retention says, until a person releases them."
    empty_title = "No legal holds"
    empty_text = "A hold is put on the last good run when an incident opens, or by a person."
    empty_command = "sampelit-ops request backups.place_hold --environment production --set run=RUN --reason …"
    placed = moment("Placed", "placed_at")
    page = staticmethod(incident_page.hold)

    @admin.display(description="Status")
    def state(self, row: Hold) -> SafeString:
        return formatting.badge("released", "idle") if row.released_at else formatting.badge("held", "run")
