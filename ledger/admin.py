"""The timeline in the admin: entries as sentences with filters, export and a verification on demand. Read-only."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from ledger import export, registry, timeline
from ledger.models import Entry
from ledger.services import record, verify_and_tell
from providers.counting import counted

CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


@admin.register(Entry)
class EntryAdmin(admin.ModelAdmin):
    change_form_template = "admin/ledger/entry/entry.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Entry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Entry | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        """The export and the verification, before Django's own addresses."""
        own = [
            path("export.<str:kind>", self.admin_site.admin_view(require_GET(self.export)), name="ledger_export"),
            path("verify/", self.admin_site.admin_view(require_POST(self.verify)), name="ledger_verify"),
        ]
        return own + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The timeline itself, one page by key."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        filters = timeline.read(request.GET)
        shown = timeline.page(filters, request.GET.get("before", ""))
        context = {
            **self.admin_site.each_context(request),
            "title": "Timeline",
            "opts": self.opts,
            "filters": filters,
            "entries": [
                (entry, entry.code.rpartition(".")[2], registry.sentence_for(entry)) for entry in shown.entries
            ],
            "next": filters.query_string(before=shown.next_key) if shown.next_key else "",
            "query": filters.query_string(),
            "later": bool(request.GET.get("before")),
            "choices": {name: timeline.choices(name) for name in ("environment", "actor", "code")},
            "may_export": request.user.has_perm("ledger.export_entries"),
            "may_verify": request.user.has_perm("ledger.verify_ledger"),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/ledger/entry/change_list.html", context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """One entry: its sentence, its data in readable lines, and its place in the chain."""
        entry = context["original"]
        data = json.dumps(entry.payload, indent=2, ensure_ascii=False)
        own = {"entry": entry, "sentence": registry.sentence_for(entry), "data": data, "subtitle": None}
        return super().render_change_form(request, {**context, **own, "title": f"Entry {entry.pk}"}, *args, **kwargs)

    def export(self, request: HttpRequest, kind: str) -> StreamingHttpResponse:
        """The filtered list as CSV or JSON."""
        if not request.user.has_perm("ledger.export_entries"):
            raise PermissionDenied
        if kind not in CONTENT_TYPES:
            raise Http404
        stream = export.start(timeline.read(request.GET), kind, actor=request.user.get_username())
        response = StreamingHttpResponse(stream, content_type=CONTENT_TYPES[kind])
        response["Content-Disposition"] = f'attachment; filename="timeline-{timezone.now():%Y%m%d-%H%M}.{kind}"'
        return response

    def verify(self, request: HttpRequest) -> HttpResponse:
        """Recompute everything now and say what was found."""
        if not request.user.has_perm("ledger.verify_ledger"):
            raise PermissionDenied
        report = verify_and_tell()
        data = {"valid": report.valid, "entries": report.entries, "anchors": report.anchors}
        record("ledger.verified", actor=request.user.get_username(), data=data)
        if report.valid:
            messages.success(
                request, f"Valid: {counted(report.entries, 'entry')}, {counted(report.anchors, 'anchor')} compared."
            )
        for problem in report.problems[:20]:
            messages.error(request, f"Entry {problem.sequence}: {problem.problem}.")
        return redirect("admin:ledger_entry_changelist")
