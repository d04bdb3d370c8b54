"""The admin's lists of edge functions, kept bundles and names of secrets."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from deployments.functions import bundle_retention
from deployments.models import EdgeFunction, EdgeSecret, FunctionBundle
from deployments.web import functions_page
from operations.admin.base import ReadOnlyAdmin
from operations.admin.columns import moment, shown
from operations.web import formatting
from operations.web.verbs import Verb, asking, column

RULE = (
    f"Bytes go {bundle_retention.DAYS} days after they were kept and last ran; "
    f"the {bundle_retention.NEWEST} newest versions of a function always stay"
)


@admin.register(EdgeFunction)
class EdgeFunctionAdmin(ReadOnlyAdmin):
    list_display = ["slug", "environment", "state", "version", "calls", "guarded", "changed"]
    list_filter = ["environment", "status"]
    dated = "updated_at"
    list_select_related = ["environment"]
    search_fields = ["slug"]
    change_list_template = "admin/deployments/function/change_list.html"
    list_title = "Edge functions"
    list_lede = "Supabase keeps no older version; every version seen is kept here"
    empty_title = "No edge functions yet"
    empty_text = "Supabase's functions appear here a few minutes after SUPABASE_ACCESS_TOKEN is set."
    empty_command = "sampelit-ops sync_functions"
    state = shown("Health", "health", formatting.badge, "status")
    changed = moment("Deployed", "updated_at")
    page = staticmethod(functions_page.page)
    own_pages = [("upload/", functions_page.upload, "deployments_function_upload")]

    @admin.display(description="Last hour")
    def calls(self, row: EdgeFunction) -> str:
        return "–" if row.requests is None else f"{row.requests} calls, {row.server_errors} failed"

    @admin.display(description="Called by")
    def guarded(self, row: EdgeFunction) -> str:
        return "holders of a token" if row.verify_jwt else "anybody"


@admin.register(FunctionBundle)
class FunctionBundleAdmin(ReadOnlyAdmin):
    list_display = ["digest", "slug", "kind", "state", "bytes", "kept", "kept_by"]
    list_filter = ["kind", ("removed_at", admin.EmptyFieldListFilter), "slug"]
    dated, by = "kept_at", "kept_by"
    search_fields = ["slug", "sha256__startswith"]
    fields = ["slug", "kind", "sha256", "size_bytes", "files", "kept_at", "kept_by", "removed_at", "stays"]
    list_title = "Kept bundles"
    list_lede = RULE
    empty_title = "No bundles yet"
    empty_text = "Source files given to a deploy, and what Supabase ran, by digest."
    empty_command = "sampelit-ops keep_function FOLDER --function NAME"
    bytes = shown("Size", "size_bytes", formatting.size, "size_bytes")
    kept = moment("Kept", "kept_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[FunctionBundle]:
        return super().get_queryset(request).defer("content")

    @admin.display(description="SHA-256")
    def digest(self, row: FunctionBundle) -> SafeString:
        return format_html('<span class="mono">{}</span>', row.sha256[:12])

    @admin.display(description="Status", ordering="removed_at")
    def state(self, row: FunctionBundle) -> SafeString:
        return formatting.badge("let go", "idle") if row.removed_at else formatting.badge("kept", "ok")

    @admin.display(description="Why it stays")
    def stays(self, row: FunctionBundle) -> str:
        judgements = bundle_retention.assess_bundles(pk=row.pk)
        return (
            (", ".join(judgements[0].reasons) or "It goes at the next daily round.")
            if judgements
            else "Its bytes were let go."
        )


@admin.register(EdgeSecret)
class EdgeSecretAdmin(ReadOnlyAdmin):
    list_display = ["name", "environment", "changed"]
    list_filter = ["environment"]
    dated = "updated_at"
    list_select_related = ["environment"]
    search_fields = ["name"]
    change_list_template = "admin/deployments/function/secrets_list.html"
    list_title = "Functions' secrets"
    list_lede = "Names only; no value ever comes here"
    empty_title = "No secrets known"
    empty_text = "Names appear with the next reading. To set one: the operation “Set a secret of edge functions”."
    empty_command = "sampelit-ops request deployments.function_secret_set --set name=NAME …"

    @admin.display(description="Changed", ordering="updated_at")
    def changed(self, row: EdgeSecret) -> SafeString:
        if row.missing_since:
            return format_html("Not in the list since {}", formatting.when(row.missing_since))
        return formatting.when(row.updated_at)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        def ways(row: EdgeSecret) -> list[Verb]:
            acts = (("set", "Replace", ""), ("delete", "Delete", "danger"))
            kind = "deployments.function_secret_"
            return [asking(request.user, kind + act, row.environment, *words, name=row.name) for act, *words in acts]

        return [*self.list_display, column("Change it", ways)]
