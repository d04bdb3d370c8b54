"""The admin's list of evidence reports, with the form that asks for one, and their pages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backups.evidence.html import TONES
from backups.models import EvidenceReport
from backups.web import evidence_page
from operations.admin.base import ReadOnlyAdmin
from operations.admin.columns import moment
from operations.web import formatting


@admin.register(EvidenceReport)
class EvidenceReportAdmin(ReadOnlyAdmin):
    list_display = ["period", "environment", "word", "first_sentence", "produced", "produced_by"]
    list_display_links = ["period"]
    list_filter = ["verdict", "environment"]
    dated, by = "produced_at", "produced_by"
    list_select_related = ["environment"]
    search_fields = ["id__exact", "sha256__startswith"]
    change_list_template = "admin/backups/evidence/change_list.html"
    list_title = "Evidence"
    list_lede = "Signed answers about a period, from the papers of every run; possible after the data is gone"
    empty_title = "No reports yet"
    empty_text = "Choose a period above. A worker reads the papers of every run since, and signs what they say."
    empty_command = "sampelit-ops evidence --environment production --from 2026-03-01 --to 2026-04-01 -o report.html"
    produced = moment("Produced", "produced_at")
    page = staticmethod(evidence_page.page)
    own_pages = [
        ("decision/", evidence_page.decision, "backups_decision"),
        ("offline/", evidence_page.offline, "backups_offline"),
        ("offline/<str:name>", evidence_page.offline_file, "backups_offline_file"),
        ("<str:pk>/download/<str:form>/", evidence_page.download, "backups_evidence_download"),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[EvidenceReport]:
        return super().get_queryset(request).defer("document")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), **evidence_page.ask(request)})

    @admin.display(description="Period", ordering="period_from")
    def period(self, row: EvidenceReport) -> SafeString:
        text = f"{row.period_from:%Y-%m-%d} to {row.period_to:%Y-%m-%d}"
        return format_html('<span class="nowrap">{}</span>', text)

    @admin.display(description="Verdict", ordering="verdict")
    def word(self, row: EvidenceReport) -> SafeString:
        return formatting.badge(row.get_verdict_display(), TONES[row.verdict])

    @admin.display(description="First sentence")
    def first_sentence(self, row: EvidenceReport) -> str:
        return row.summary if len(row.summary) < 180 else row.summary[:177] + "…"
