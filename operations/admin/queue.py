"""The queue's pages, read-only: django-q2's own could re-queue, delete and, by a schedule, run any function.

In: rows of django-q2. Out: lists that never load a pickled column, so that looking at a message executes nothing.
"""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django_q.models import Failure, OrmQ, Schedule, Success, Task

from operations.admin.base import ReadOnlyAdmin
from operations.admin.columns import moment
from operations.web import formatting

for stock in (Schedule, Success, Failure, OrmQ):
    if admin.site.is_registered(stock):
        admin.site.unregister(stock)


class QueueAdmin(ReadOnlyAdmin):
    """Whoever may see operations may see the queue; only the columns of `plain` are ever fetched."""

    plain: tuple[str, ...] = ()
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        """The rows without their pickles."""
        return super().get_queryset(request).only(*self.plain)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """The permission of operations."""
        return request.user.has_perm("operations.view_operation")

    def has_module_permission(self, request: HttpRequest) -> bool:
        """The same, for the list of all records."""
        return self.has_view_permission(request)


@admin.register(Success, Failure)
class FinishedAdmin(QueueAdmin):
    """Messages that a worker has handled. The operation has the truth; this is the transport's view."""

    plain = ("id", "name", "func", "group", "cluster", "started", "stopped", "success", "attempt_count")
    fields = ("name", "func", "cluster", "start", "stop", "state", "attempt_count")
    readonly_fields = ("start", "stop", "state")
    list_display = ("name", "state", "cluster", "start", "taken", "attempt_count")
    dated = "started"
    ordering = ("-stopped",)
    empty_title = "No messages here"
    empty_text = "django-q2 only wakes the workers up. What happened is in Operations."
    start = moment("Started", "started")
    stop = moment("Stopped", "stopped")

    @admin.display(description="Status")
    def state(self, task: Task) -> SafeString:
        """Handled or failed, as a badge."""
        return formatting.badge("handled" if task.success else "failed", "ok" if task.success else "bad")

    @admin.display(description="Took")
    def taken(self, task: Task) -> str:
        """How long it took."""
        return formatting.duration((task.stopped - task.started).total_seconds())


@admin.register(OrmQ)
class WaitingAdmin(QueueAdmin):
    """Messages that no worker has acknowledged."""

    plain = ("id", "key", "lock")
    fields = readonly_fields = ("key", "taken_until")
    list_display = ("__str__", "key", "taken_until")
    empty_title = "The queue is empty"
    empty_text = "Every message was handled. A lost one is sent again by tick."
    taken_until = moment("Retried after", "lock")


@admin.register(Schedule)
class ScheduleAdmin(QueueAdmin):
    """Should stay empty: the portal's schedules are code, run by tick."""

    plain = ("id", "name", "func", "schedule_type", "next_run", "cluster")
    fields = readonly_fields = ("name", "func", "schedule_type", "next_run", "cluster")
    list_display = ("name", "func", "schedule_type", "next_run")
    empty_title = "No schedules, as it should be"
    empty_text = "Periodic work is code, started by tick. A row here would be somebody's function: find out whose."
