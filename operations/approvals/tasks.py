"""Close an open task: a person says what was found or done; an act under review is closed by somebody else."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from ledger.services import record
from operations.authority import why_not
from operations.engine.request import refusals_recorded
from operations.engine.wording import said
from operations.factors.acts import Binding, digest_of
from operations.factors.step_up import spend
from operations.models import Task
from providers.errors import Refused


def why_not_close(task: Task, by: User) -> str:
    """The reason this person may not close it, or nothing."""
    if task.closed_at is not None:
        return f"It was closed by {task.closed_by}."
    if task.not_by_id == by.pk:
        return "It reviews what you did; somebody else closes it."
    return why_not(by, "operations.close_task", task.environment, "Your role may not close tasks.")


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
        Task.objects.filter(pk=row.pk).update(closed_at=timezone.now(), closed_by=by, resolution=resolution)
        record(
            "operations.task.closed",
            actor=by.username,
            environment=row.environment.slug if row.environment else "",
            subject=row.operation_id or str(row.pk),
            data={"task": row.title, "resolution": resolution},
        )
    row.refresh_from_db()
    return row
