"""The bases of our lists: one only shows, one edits and leaves a ledger entry; no exact count, no jQuery.

In: a model. Out: `ReadOnlyAdmin`, `EditableAdmin` for `@admin.register`. Verbs are admin actions and pages of the
domain's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import Field, Model
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from operations import audit as operations_audit
from operations.admin import filters
from operations.admin.paginator import CheapPaginator
from operations.authority import holds, holds_somewhere, places
from operations.models import Environment

LONGEST_FILTER = 500
# What Django's filters put behind the name of a field.
COMPARISONS = frozenset(
    ["", *(f"__{each}" for each in ("exact", "id__exact", "in", "isnull", "isempty", "gt", "gte", "lt", "lte"))]
)


class ListedLookups(admin.ModelAdmin):
    """A list is filtered by what it offers or shows, by no other column: `password__startswith` reads a hash out.

    `dated` is the column of its date, `by` the one with the name of whoever did it: a list that has one offers it.
    `empty_title`, `empty_text`, `empty_command` teach when there is nothing.
    """

    dated = by = ""
    paginator = CheapPaginator
    show_full_result_count = False
    view_on_site = False
    empty_title = empty_text = empty_command = ""
    page: Callable[..., HttpResponse] | None = None  # of a row, by its key, in place of Django's
    own_pages: list[tuple[str, Callable[..., HttpResponseBase], str]] = []  # address, view, name

    @property
    def media(self) -> forms.Media:
        """Only the script of the action bar, and only where there are actions: no jQuery."""
        return forms.Media(js=["admin/js/actions.js"] if self.actions else [])

    def get_urls(self) -> list[URLPattern]:
        """Our own pages, before Django's."""
        view = self.admin_site.admin_view
        return [*(path(route, view(page), name=name) for route, page, name in self.own_pages), *super().get_urls()]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.page is None:
            return super().change_view(request, object_id, *args, **kwargs)
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self.page(request, object_id)

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """What the list itself offers, then whoever did it, then the date."""
        general = [(self.by, filters.ByFilter), (self.dated, filters.DateFilter)]
        return [*super().get_list_filter(request), *(each for column, each in general if column)]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Each of some forty links repeats the filters, so one that is longer than any value leads to the list."""
        if any(len(value) > LONGEST_FILTER for values in request.GET.lists() for value in values[1]):
            messages.warning(request, "A filter was longer than any value here; all filters were left out.")
            return redirect(request.path)
        return super().changelist_view(request, extra_context)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Whether the parameter is a filter's of this list, or compares one of its columns."""
        if lookup in (filters.SINCE, filters.UNTIL, filters.BY):
            return True
        names = [_parameter(each) for each in self.get_list_filter(request)]
        names += [each for each in self.get_list_display(request) if isinstance(each, str)]
        return any(lookup.removeprefix(name) in COMPARISONS for name in names)

    def action_checkbox(self, obj: Model) -> SafeString:
        """Django's own, without rendering a template for each row: a fifth of a list's time."""
        box = '<input type="checkbox" name="{}" value="{}" class="action-select" aria-label="{}">'
        return format_html(box, ACTION_CHECKBOX_NAME, obj.pk, f"Select this object for an action - {obj}")


def _parameter(offered: Any) -> str:
    """The name in the address of what `list_filter` holds: a field, a field with its filter, or a filter's own."""
    name = offered[0] if isinstance(offered, tuple) else offered
    return str(getattr(name, "parameter_name", name))


class ReadOnlyAdmin(ListedLookups):
    """A list and a page of facts."""

    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Rows come from the services."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Facts are not edited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is deleted here."""
        return False


# A date and time in the browser's own control: labelled, usable on a phone, no script. UTC.
NATIVE_DATETIME = {
    "form_class": forms.DateTimeField,
    "widget": forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
}


class EditableAdmin(ListedLookups):
    """The base of the few lists whose rows people edit: native date controls, history by the ledger, no counting."""

    formfield_overrides = {models.DateTimeField: NATIVE_DATETIME}

    def place_of(self, obj: Any) -> Environment | None:
        """For which environment a person must hold the permission to change this row; None: for all of them."""
        return getattr(obj, "environment", None)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return super().has_add_permission(request, *args) or self._somewhere(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if obj is None or not obj.pk:
            return super().has_change_permission(request) or self._somewhere(request, "change")
        return holds(request.user, self._permission("change"), self.place_of(obj))

    def _somewhere(self, request: HttpRequest, verb: str) -> bool:
        divided = self.model is Environment or hasattr(self.model, "environment")
        return divided and holds_somewhere(request.user, self._permission(verb))

    def _permission(self, verb: str) -> str:
        return f"{self.opts.app_label}.{verb}_{self.opts.model_name}"

    def formfield_for_dbfield(self, db_field: Field, request: HttpRequest, **kwargs: Any) -> forms.Field | None:
        """No pop-up windows beside a related row: they need jQuery, and one page is enough."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        if db_field.related_model is Environment and isinstance(field, forms.ModelChoiceField):
            field.queryset = places(request.user, self._permission("change"))
        return field

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """The row and its ledger entry, or neither."""
        with transaction.atomic():
            stored = self.model._default_manager.select_for_update().filter(pk=obj.pk) if change else None
            before = stored.first() if stored is not None else None
            super().save_model(request, obj, form, change)
            operations_audit.note(before, obj, by=request.user.get_username())
