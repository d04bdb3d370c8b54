"""The admin's list of everybody's personal tokens, for those who look after people; it can only end them."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from operations.admin.base import ReadOnlyAdmin
from operations.admin.columns import moment, shown
from operations.authority import holds
from operations.models import AccessToken
from operations.tokens.ending import revoke
from operations.web import formatting


@admin.register(AccessToken)
class AccessTokenAdmin(ReadOnlyAdmin):
    list_display = ["name", "user", "state_badge", "scope_words", "expires", "used", "last_used_from"]
    list_filter = ["environment", ("revoked_at", admin.EmptyFieldListFilter)]
    dated, by = "created_at", "user__username"
    list_select_related = ["user", "environment"]
    fields = ["name", "user", "state_badge", "scope_words", "created_at", "expires", "used", "used_from", "revoked_at"]
    readonly_fields = ["state_badge", "scope_words", "expires", "used"]
    actions = ["end"]
    empty_title = "Nobody has a personal token"
    empty_text = "People create them under Personal tokens in the menu of their name, for the shell."
    state_badge = shown("State", "state", formatting.badge)
    expires = moment("Expires", "expires_at")
    used = moment("Last used", "last_used_at")

    def has_view_permission(self, request: HttpRequest, obj: AccessToken | None = None) -> bool:
        return holds(request.user, "auth.change_user", None)

    @admin.action(description="Revoke", permissions=["view"])
    def end(self, request: HttpRequest, queryset: QuerySet[AccessToken]) -> None:
        ended = [row.name for row in queryset.select_related("user") if revoke(row, actor=request.user.get_username())]
        messages.success(request, f"Revoked: {', '.join(ended) or 'none; they had ended'}.")

    @admin.display(description="May")
    def scope_words(self, row: AccessToken) -> str:
        return row.scope_words
