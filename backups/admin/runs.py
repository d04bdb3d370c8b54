"""The admin's lists and pages of runs, policies, slots and restores. Facts are read-only; policies can be edited."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from backups.cron_sentence import sentence
from backups.models import Policy, Run
from backups.policies.defaults import accept_database
from backups.web import altered, calendar, coverage, downloads, layers, retention_page, run_page, trends
from backups.web.policy_form import KEEP, SCHEDULE, PolicyForm, explain, next_times
from operations.admin.base import EditableAdmin, ReadOnlyAdmin
from operations.authority import why_not
from operations.factors.acts import Binding, digest_of
from operations.factors.step_up import spend
from operations.web import formatting


def export_url(policy: Policy) -> str:
    """The generic confirmation page, filled in."""
    values = urlencode({"environment": policy.environment.slug, "policy": policy.name})
    return f"{reverse('admin:operations_request', args=['backups.export'])}?{values}"


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = ["started", "policy", "stored_badge", "proven_badge", "rows_shown", "stored_size", "took", "rto"]
    list_display_links = ["started"]
    list_filter = ["status", "policy__environment", "policy__name"]
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
    refusal = why_not(request.user, "backups.request_export", policy.environment, "Your role may not request exports.")
    return {"export_url": export_url(policy), "export_policy": policy, "export_why_not": refusal}


@admin.register(Policy)
class PolicyAdmin(EditableAdmin):
    list_display = ["titled", "environment", "covers", "newest", "schedule", "enabled", "export_now"]
    list_filter = ["environment", "enabled"]
    list_select_related = ["environment"]
    search_fields = ["name", "description"]
    actions = ["export_selected", "accept_database"]
    change_form_template = "admin/backups/policy/change_form.html"
    form = PolicyForm
    fieldsets = [
        (None, {"fields": ["environment", "name", "description", "enabled"]}),
        ("Tables", {"fields": ["picked", "lines", "closure", "format", "not_wanted"]}),
        ("Schedule", {"fields": list(SCHEDULE)}),
        (
            "Retention",
            {"description": "Counted over proven runs. Three proven runs always stay.", "fields": list(KEEP)},
        ),
    ]
    empty_title = "No policies yet"
    empty_text = "A policy names the tables that are copied together. Two are made for every environment."

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        told = path("schedule/", view(explain), name="backups_explain")
        kept = path("<int:pk>/retention/", view(retention_page.page), name="backups_retention")
        return [told, kept, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Policy]:
        return Policy.objects.with_newest_proof()

    @admin.display(description="Name", ordering="name")
    def titled(self, row: Policy) -> str:
        return row.title

    def get_fieldsets(self, request: HttpRequest, obj: Policy | None = None) -> Any:
        """Who only looks sees the tables by name: the form's own fields are empty outside a form."""
        edits = obj is None or self.has_change_permission(request, obj)
        names = {"fields": ["tables", "closure", "format", "not_wanted"]}
        return [(title, names if title == "Tables" and not edits else shown) for title, shown in self.fieldsets]

    def has_delete_permission(self, request: HttpRequest, obj: Policy | None = None) -> bool:
        """Runs refer to it for ever; switch it off instead."""
        return False

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """What is copied, how often, where to, how long it stays and who is told is grave; words are not."""
        grave = {name: str(form.cleaned_data[name]) for name in form.changed_data if name != "description"}
        if change and grave:
            spend(request.user.get_username(), Binding("backups.policy", str(obj), digest_of(obj.pk, grave)))
        super().save_model(request, obj, form, change)
        if form.instance.enabled and form.instance.cron:
            self.message_user(request, next_times(form.instance.cron, form.instance.time_zone))

    @admin.action(description="Export now", permissions=["view"])
    def export_selected(self, request: HttpRequest, rows: QuerySet[Policy]) -> HttpResponse | None:
        """One policy leads to its confirmation page; several would need several confirmations."""
        if len(rows) != 1:
            self.message_user(request, "Choose one policy: each export is confirmed by itself.", "warning")
            return None
        return HttpResponseRedirect(export_url(rows[0]))

    @admin.action(description="Accept another database", permissions=["change"])
    def accept_database(self, request: HttpRequest, rows: QuerySet[Policy]) -> None:
        """After a planned move: the next run may come from a database with another system identifier."""
        assert isinstance(request.user, User)  # noqa: S101 - the admin lets only signed-in people through
        for policy in rows:
            if not self.has_change_permission(request, policy):
                raise PermissionDenied
            accept_database(policy, request.user)
        self.message_user(request, "The next run may come from another database; after it, only from that one.")

    @admin.display(description="Covers")
    def covers(self, row: Policy) -> str:
        names = ["every table" if name == "*" else name for name in row.tables]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        return ", ".join(names[:3]) + more

    @admin.display(description="Newest proven", ordering="newest_proof")
    def newest(self, row: Policy) -> SafeString:
        proof = getattr(row, "newest_proof", None)
        return formatting.when(proof) if proof else formatting.badge("never", "warn")

    @admin.display(description="Schedule")
    def schedule(self, row: Policy) -> str:
        return f"{sentence(row.cron)} ({row.time_zone})" if row.cron else "by hand"

    @admin.display(description="Export")
    def export_now(self, row: Policy) -> SafeString:
        return format_html('<a class="button" href="{}">Export now</a>', export_url(row))
