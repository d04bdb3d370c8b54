"""The admin's lists and pages of deployments and services. Facts are read-only; verbs lead to the confirmation page."""

from __future__ import annotations

import re

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from deployments.admin.filters import WhoFilter
from deployments.health.home_card import said_of
from deployments.models import Deployment, Service
from deployments.web import (
    blueprint_page,
    delivery,
    deployment_page,
    environment_page,
    export,
    logs,
    parity_page,
    previews_page,
    service_page,
    setup_page,
)
from deployments.web.badges import status_badge
from deployments.web.verbs import verb
from operations.admin.base import ReadOnlyAdmin
from operations.admin.columns import moment
from operations.engine import kinds
from operations.periodic.clock import database_time
from operations.web import formatting


@admin.register(Deployment)
class DeploymentAdmin(ReadOnlyAdmin):
    list_display = ["what", "state", "health_badge", "of", "environment", "who_badge", "started", "took"]
    list_display_links = ["what"]
    list_filter = ["status", "service__environment", "service", WhoFilter, "health"]
    dated, by = "created_at", "actor"
    list_select_related = ["service__environment"]
    search_fields = ["commit_message", "actor"]
    actions = ["roll_back", "export_csv", "export_json"]
    change_list_template = "admin/deployments/deployment/change_list.html"
    list_title = "Deployments"
    empty_title = "No deployments yet"
    empty_text = "Render's deploys appear here within a minute after RENDER_API_KEY is set."
    empty_command = "sampelit-ops sync_deployments"
    started = moment("Started", "created_at", "-created_at")
    page = staticmethod(deployment_page.page)
    own_pages = [
        ("setup/", setup_page.page, "deployments_setup"),
        ("of/<str:render_id>/", deployment_page.of, "deployments_of"),
        ("<str:pk>/live/", deployment_page.fragment, "deployments_live"),
        ("<str:pk>/log/<slug:which>/", logs.page, "deployments_log"),
    ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Deployment], search_term: str
    ) -> tuple[QuerySet[Deployment], bool]:
        """A commit or an id is found by its index; anything else is looked for in messages and names."""
        word = search_term.strip()
        if re.fullmatch(r"[0-9a-f]{7,64}", word):
            return queryset.filter(commit_sha__startswith=word), False
        if word.startswith("dep-"):
            return queryset.filter(render_id=word), False
        return super().get_search_results(request, queryset, search_term)

    def has_rollback_permission(self, request: HttpRequest) -> bool:
        """Who may request one, wherever."""
        return kinds.get("deployments.rollback").for_anywhere(request.user)

    @admin.action(description="Roll back to the selected deployment", permissions=["rollback"])
    def roll_back(self, request: HttpRequest, rows: QuerySet[Deployment]) -> HttpResponse | None:
        row = rows.select_related("service__environment").first()
        if row is None or rows.count() != 1:
            messages.warning(request, "Select exactly one deployment. Nothing was requested.")
            return None
        made = verb(request.user, "deployments.rollback", row.service, "", deployment=row.render_id)
        return redirect(made.url)

    @admin.action(description="Export as CSV")
    def export_csv(self, request: HttpRequest, rows: QuerySet[Deployment]) -> HttpResponseBase:
        return export.as_csv(rows)

    @admin.action(description="Export as JSON")
    def export_json(self, request: HttpRequest, rows: QuerySet[Deployment]) -> HttpResponseBase:
        return export.as_json(rows)

    @admin.display(description="Deployment")
    def what(self, row: Deployment) -> SafeString:
        return format_html('<span class="mono">{}</span> {}', row.short, row.title)

    @admin.display(description="Status", ordering="status")
    def state(self, row: Deployment) -> SafeString:
        return status_badge(row)

    @admin.display(description="Health")
    def health_badge(self, row: Deployment) -> SafeString | str:
        return formatting.badge(row.health) if row.health else "–"

    @admin.display(description="Service")
    def of(self, row: Deployment) -> str:
        """Without an order of its own, as the environment: no index has it, and the filters show one at a time."""
        return str(row.service)

    @admin.display(description="Environment")
    def environment(self, row: Deployment) -> str:
        return row.service.environment.name if row.service.environment else "–"

    @admin.display(description="Who", ordering="actor")
    def who_badge(self, row: Deployment) -> str:
        return row.who

    @admin.display(description="Took")
    def took(self, row: Deployment) -> str:
        return formatting.duration(row.duration.total_seconds()) if row.duration else "–"


@admin.register(Service)
class ServiceAdmin(ReadOnlyAdmin):
    list_display = ["name", "environment_link", "kind", "health_badge", "live", "autodeploy_badge", "mode", "probed"]
    list_filter = ["environment", "health", "type", "autodeploy", "suspended"]
    list_select_related = ["environment"]
    search_fields = ["name", "render_id__exact", "repo"]
    list_title = "Services"
    empty_title = "No services yet"
    empty_text = "Render's services appear here within a minute after RENDER_API_KEY is set."
    empty_command = "sampelit-ops sync_deployments"
    probed = moment("Probed", "probed_at")
    page = staticmethod(service_page.page)
    own_pages = [
        ("previews/", previews_page.page, "deployments_previews"),
        ("environment/<slug:slug>/", environment_page.page, "deployments_environment"),
        ("environment/<slug:slug>/delivery.csv", delivery.as_csv, "deployments_delivery"),
        ("parity/<slug:slug>/", parity_page.page, "deployments_parity"),
        ("blueprint/<slug:slug>/", blueprint_page.page, "deployments_blueprint"),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Service]:
        return super().get_queryset(request).prefetch_related(service_page.live_deployments())

    @admin.display(description="Environment", ordering="environment")
    def environment_link(self, row: Service) -> SafeString | str:
        if row.environment is None:
            return "–"
        url = reverse("admin:deployments_environment", args=[row.environment.slug])
        return format_html('<a href="{}">{}</a>', url, row.environment.name)

    @admin.display(description="Kind", ordering="type")
    def kind(self, row: Service) -> str:
        return row.type.replace("_", " ")

    @admin.display(description="Health", ordering="health")
    def health_badge(self, row: Service) -> SafeString | str:
        word, tone = said_of(row, database_time())
        return formatting.badge(word, tone) if word != "no address" else "–"

    @admin.display(description="Live")
    def live(self, row: Service) -> SafeString | str:
        deployment = service_page.live_of(row)
        if len(row.live_now) > 1:  # type: ignore[attr-defined]
            return formatting.badge("several", "warn")
        return format_html('<span class="mono">{}</span>', deployment.short) if deployment else "–"

    @admin.display(description="Autodeploy", ordering="autodeploy")
    def autodeploy_badge(self, row: Service) -> str:
        return "on" if row.autodeploy else "off"

    @admin.display(description="Mode")
    def mode(self, row: Service) -> SafeString | str:
        if row.removed_at:
            return formatting.badge("removed", "idle")
        if row.suspended:
            return formatting.badge("suspended", "warn")
        return formatting.badge("maintenance", "warn") if row.maintenance else "–"
