"""The admin's lists of what people must still do, and of what shows that workers live."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from operations.admin.base import ReadOnlyAdmin
from operations.admin.columns import moment
from operations.approvals.tasks import close, why_not_close
from operations.models import Heartbeat, Task
from operations.web import formatting
from operations.web.pages import render_page, status_of
from providers.errors import Refused


@admin.register(Task)
class TaskAdmin(ReadOnlyAdmin):
    list_display = ["title", "state", "environment", "opened", "closed_by"]
    list_filter = ["kind", "environment", ("closed_at", admin.EmptyFieldListFilter)]
    dated, by = "opened_at", "closed_by__username"
    list_select_related = ["environment", "closed_by"]
    empty_title = "Nothing is left to do"
    empty_text = (
        "Break-glass reviews, autodeploy to re-enable and failing clean-ups appear here until somebody closes them."
    )
    opened = moment("Opened", "opened_at")

    def get_urls(self) -> list[URLPattern]:
        page = permission_required("operations.view_task", raise_exception=True)(self.close_task)
        return [
            path("<int:pk>/close/", self.admin_site.admin_view(page), name="operations_close_task"),
            *super().get_urls(),
        ]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not object_id.isdecimal():
            return super().change_view(request, object_id)  # says that there is no such task
        return self.close_task(request, int(object_id))

    def close_task(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The task and the form that closes it."""
        assert isinstance(request.user, User)  # noqa: S101
        task = get_object_or_404(Task.objects.select_related("operation", "environment", "closed_by", "not_by"), pk=pk)
        refused: Refused | PermissionDenied | None = None
        if request.method == "POST":
            try:
                close(task, by=request.user, resolution=request.POST.get("resolution", ""))
                messages.success(request, "Closed.")
                return redirect("admin:operations_task_changelist")
            except (Refused, PermissionDenied) as refusal:
                refused = refusal
        why_not = why_not_close(task, request.user)
        context = {
            "title": task.title,
            "task": task,
            "why_not": why_not,
            "error": str(refused or ""),
        }
        status = 403 if refused and why_not else status_of(refused)
        return render_page(request, "admin/operations/task.html", context, status=status)

    @admin.display(description="State")
    def state(self, row: Task) -> SafeString:
        return formatting.badge("done" if row.closed_at else "open")


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    list_display = ["name", "beat"]
    dated = "beat_at"
    empty_title = "No sign of life yet"
    empty_text = "Workers, canaries and periodic jobs report here."
    empty_command = "sampelit-ops run_worker"

    @admin.display(description="Last beat", ordering="beat_at")
    def beat(self, row: Heartbeat) -> SafeString:
        return format_html("{}", formatting.when(row.beat_at))
