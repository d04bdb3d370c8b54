"""The admin's list and form of policies, and the filter by policy of whatever belongs to one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString

from backups.cron_sentence import sentence
from backups.models import Policy
from backups.policies.defaults import accept_database
from backups.policy_spec import RESTORE_POINT
from backups.web import retention_page
from backups.web.policy_form import KEEP, SCHEDULE, PolicyForm, explain, next_times
from operations.admin.base import EditableAdmin
from operations.engine import kinds
from operations.factors.acts import Binding, digest_of
from operations.factors.step_up import spend
from operations.web import formatting
from operations.web.verbs import Verb, asking, column

POINTS = "restore-points"


def export_now(request: HttpRequest, policy: Policy, label: str = "Export now", style: str = "") -> Verb:
    """The button that asks for a run of it."""
    return asking(request.user, "backups.export", policy.environment, label, style, policy=policy.name)


class PolicyFilter(admin.SimpleListFilter):
    """By policy as people call it; the restore points, one for each migration that destroyed something, together."""

    title, parameter_name = "policy", "policy__name"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        points = Policy.objects.filter(name__regex=f"^{RESTORE_POINT}$")
        names = Policy.objects.exclude(pk__in=points).order_by("name").values_list("name", flat=True).distinct()
        return [*((name, name) for name in names), *([(POINTS, "Restore points")] if points.exists() else [])]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == POINTS:
            return queryset.filter(policy__name__regex=f"^{RESTORE_POINT}$")
        return queryset.filter(policy__name=self.value()) if self.value() else queryset


@admin.register(Policy)
class PolicyAdmin(EditableAdmin):
    list_display = ["titled", "environment", "covers", "newest", "schedule", "enabled"]
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
    own_pages = [
        ("schedule/", explain, "backups_explain"),
        ("<int:pk>/retention/", retention_page.page, "backups_retention"),
    ]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [*self.list_display, column("Export", lambda row: [export_now(request, row)])]

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

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Who may request one, wherever."""
        return kinds.get("backups.export").for_anywhere(request.user)

    @admin.action(description="Export now", permissions=["export"])
    def export_selected(self, request: HttpRequest, rows: QuerySet[Policy]) -> HttpResponse | None:
        """One policy leads to its confirmation page; several would need several confirmations."""
        if len(rows) != 1:
            self.message_user(request, "Choose one policy: each export is confirmed by itself.", "warning")
            return None
        return HttpResponseRedirect(export_now(request, rows[0]).url)

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
