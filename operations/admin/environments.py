"""The admin's list and form of environments: a form that asks for an operation, and changes nothing by itself."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Field
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.safestring import SafeString

from operations.admin.base import EditableAdmin
from operations.authority import holds
from operations.databases import recorded
from operations.kinds.environment_fields import CHANGEABLE, label_of, text_of
from operations.models import Environment
from operations.navigation import page_of_request
from operations.web import formatting
from providers.redact import redact

NAMED = ("slug", "kind")


@admin.register(Environment)
class EnvironmentAdmin(EditableAdmin):
    list_display = ["slug", "name", "kind", "protected", "freeze", "health_url"]
    list_filter = ["kind", "protected"]
    search_fields = ["slug", "name"]

    def has_delete_permission(self, request: HttpRequest, obj: Environment | None = None) -> bool:
        """Operations and history refer to it for ever."""
        return False

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Another environment concerns all of them."""
        return holds(request.user, "operations.add_environment", None)

    def place_of(self, obj: Environment) -> Environment:
        return obj

    def get_readonly_fields(self, request: HttpRequest, obj: Environment | None = None) -> tuple[str, ...]:
        """What an environment is never changes."""
        return (*NAMED, "database") if obj else ()

    def formfield_for_dbfield(self, db_field: Field, request: HttpRequest, **kwargs: Any) -> Any:
        """Its fields are called as in the request that the form leads to."""
        return super().formfield_for_dbfield(db_field, request, label=label_of(db_field.name), **kwargs)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A valid form leads to the request of exactly what differs; nothing is saved here."""
        if request.method != "POST":
            return super().changeform_view(request, object_id, form_url, extra_context)
        row = get_object_or_404(Environment, pk=object_id) if object_id else None
        if not (self.has_change_permission(request, row) if row else self.has_add_permission(request)):
            raise PermissionDenied
        form = self.get_form(request, row, change=row is not None)(request.POST, instance=row)
        if not form.is_valid():
            return super().changeform_view(request, object_id, form_url, extra_context)
        values = {name: text_of(name, form.cleaned_data[name]) for name in form.changed_data}
        if secret := [name for name, text in values.items() if redact(text) != text]:
            messages.error(request, f"{', '.join(secret)} holds what looks like a secret. Nothing was requested.")
            return redirect(request.path)
        if row is None:
            wanted = {name: text for name, text in values.items() if text != "-"}
            wanted |= {name: text_of(name, form.cleaned_data[name]) for name in NAMED}
            return _ask("environments.add", Environment.objects.portal(), wanted)
        if not values:
            messages.info(request, f"{row} is like that already; nothing was requested.")
            return redirect("admin:operations_environment_change", row.pk)
        return _ask("environments.change", row, {name: values[name] for name in CHANGEABLE if name in values})

    @admin.display(description="Database")
    def database(self, row: Environment) -> str:
        known = recorded(row)
        return str(known) if known else "not met yet"

    @admin.display(description="Frozen until")
    def freeze(self, row: Environment) -> SafeString:
        return formatting.when(row.frozen_until) if row.own_freeze() else SafeString("–")


def _ask(kind: str, environment: Environment, values: dict[str, str]) -> HttpResponse:
    """To the page that shows what these values do, and who must agree."""
    return redirect(page_of_request(kind, environment=environment.slug, **values))
