"""Close an open task: a person says what was found or done; an act under review is closed by somebody else."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction

from ledger.services import record
from operations.authority import why_not
from operations.engine.request import refusals_recorded
from operations.engine.wording import said
from operations.factors.acts import Binding, digest_of
from operations.factors.step_up import spend
from operations.models import Operation, Status, Task
from operations.periodic.clock import database_time
from providers.errors import Refused


def why_not_close(task: Task, by: User) -> str:
    """The reason this person may not close it, or nothing."""
    if task.closed_at is not None:
        return f"It was closed by {task.closed_by}."
    if task.not_by_id == by.pk:
        return "It reviews what you did; somebody else closes it."
    return why_not(by, "operations.close_task", task.environment, "Your role may not close tasks.")


def seen_by(operation: Operation) -> Task | None:
    """Who said that they looked at this failure, if anybody did."""
    return Task.objects.select_related("closed_by").filter(dedupe_key=f"seen:{operation.pk}").first()


def acknowledge(operation: Operation, *, by: User, resolution: str) -> Operation:
    """Say by name that a failure was seen; it colours the home page no more. Raise Refused or PermissionDenied."""
    place = operation.environment
    if operation.status != Status.FAILED:
        raise Refused(f"It is {operation.get_status_display().lower()}, not failed. Nothing was changed.")
    if refusal := why_not(by, "operations.close_task", place, "Your role may not acknowledge failures."):
        with refusals_recorded("operations.task", by, place):
            raise PermissionDenied(f"{refusal} Nothing was changed.")
    title = f"Look at what failed: {operation} on {place}"[:200]
    given = {"kind": Task.Kind.OTHER, "title": title, "environment": place, "operation": operation}
    with transaction.atomic():
        task, _ = Task.objects.get_or_create(dedupe_key=f"seen:{operation.pk}", defaults=given)
        close(task, by=by, resolution=resolution)
    return operation


def close(task: Task, *, by: User, resolution: str) -> Task:
    """Close it with a resolution of at least three characters. Raise Refused or PermissionDenied."""
    with refusals_recorded("operations.task", by, task.environment), transaction.atomic():
        row = Task.objects.select_for_update(of=("self",)).get(pk=task.pk)
        refusal = why_not_close(row, by)
        if refusal:
            raise PermissionDenied(f"{refusal} Nothing was changed.")
        resolution = said(resolution)
        if len(resolution.strip()) < 3:
            raise Refused("Say what was found or done; nothing was changed.")
        if row.not_by_id is not None:  # the look of a second person
            spend(by.username, Binding("operations.review", row.title, digest_of(row.pk, resolution)))
        Task.objects.filter(pk=row.pk).update(closed_at=database_time(), closed_by=by, resolution=resolution)
        record(
            "operations.task.closed",
            actor=by.username,
            environment=row.environment.slug if row.environment else "",
            subject=row.operation_id or str(row.pk),
            data={"task": row.title, "resolution": resolution},
        )
    row.refresh_from_db()
    return row
