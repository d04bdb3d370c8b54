"""Derives messages from what the rows say: votes wanted, reminders, break-glass, failures, open tasks.

In: operations and tasks. Out: messages in the outbox, each once (dedupe keys), however often it runs and whoever
crashed. The demo's story is silent.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from operations.authority import VOTE, holders
from operations.models import Operation, Status, Task
from operations.notify.outbox import addresses, enqueue

_LOOK_BACK = timedelta(days=1)
_REMIND_BEFORE = timedelta(hours=24)
_MOST = 100
FOR_APPROVERS = {Task.Kind.REVIEW_BREAK_GLASS, Task.Kind.REVIEW_RESTORE_OF_SERVICE, Task.Kind.ALWAYS_STEP_FAILING}


def sweep() -> int:
    """One round; returns how many messages are new."""
    return _votes_wanted() + _reminders() + _break_glass() + _failures() + _tasks()


def path_of(operation: Operation) -> str:
    return reverse("admin:operations_operation_change", args=[operation.pk])


def _recent(**status: str) -> list[Operation]:
    """The newest of this status; a request lives three days at most, so older rows have been told about."""
    week = timezone.now() - timedelta(days=7)
    rows = Operation.objects.filter(seeded=False, requested_at__gt=week, **status)
    return list(rows.select_related("environment", "requested_by").order_by("-requested_at")[:_MOST])


def _votes_wanted() -> int:
    return sum(_ask(row, "approval", "Approval wanted") for row in _recent(status=Status.AWAITING_APPROVAL))


def _ask(row: Operation, key: str, words: str) -> int:
    votes = "one vote" if row.approvals_required == 1 else f"{row.approvals_required} votes"
    body = f"{row.requested_by} asks for a {row.risk} act: {row}.\nReason: {row.reason or 'none given'}\n"
    body += f"It needs {votes} before {row.expires_at:%Y-%m-%d %H:%M} UTC."
    approvers = addresses(holders(VOTE, row.environment))
    others = [address for address in approvers if address != row.requested_by.email]
    subject = f"{words}: {row} on {row.environment}"
    return enqueue(f"{key}:{row.pk}", subject=subject, body=body, path=path_of(row), to=others)


def _reminders() -> int:
    soon = timezone.now() + _REMIND_BEFORE
    made = 0
    for row in Operation.objects.filter(
        status=Status.AWAITING_APPROVAL, reminded_at=None, expires_at__lt=soon, seeded=False
    ).select_related("environment", "requested_by")[:_MOST]:
        with transaction.atomic():
            if Operation.objects.filter(pk=row.pk, reminded_at=None).update(reminded_at=timezone.now()):
                made += _ask(row, "reminder", "Still waiting for approval")
    return made


def _break_glass() -> int:
    recent = timezone.now() - _LOOK_BACK
    rows = Operation.objects.filter(break_glass_from__gt=recent, seeded=False, break_glass_by__isnull=False)
    made = 0
    for row in rows.select_related("environment", "break_glass_by")[:_MOST]:
        subject = f"Break-glass: {row} on {row.environment}"
        body = (
            f"{row.break_glass_by} runs it without votes.\nReason: {row.break_glass_reason}\nSomebody else reviews it."
        )
        key = f"break-glass:{row.pk}"
        approvers = addresses(holders(VOTE, row.environment))
        made += enqueue(key, subject=subject, body=body, path=path_of(row), to=approvers)
    return made


def _failures() -> int:
    since = timezone.now() - _LOOK_BACK
    made = 0
    for row in _recent(status=Status.FAILED):
        if row.ended_at and row.ended_at > since:
            body = f"{row.error.strip() or 'No reason was recorded.'}\nRequested by {row.requested_by}."
            subject = f"Failed: {row} on {row.environment}"
            made += enqueue(
                f"failed:{row.pk}", subject=subject, body=body, path=path_of(row), to=[row.requested_by.email]
            )
    return made


def _tasks() -> int:
    fresh = Task.objects.filter(closed_at=None, opened_at__gt=timezone.now() - _LOOK_BACK)
    of_the_story = Q(operation__isnull=False, operation__seeded=True)
    made = 0
    for task in fresh.exclude(of_the_story).select_related("operation", "environment")[:_MOST]:
        path = path_of(task.operation) if task.operation else reverse("admin:operations_task_changelist")
        to = addresses(holders(VOTE, task.environment)) if task.kind in FOR_APPROVERS else []
        made += enqueue(f"task:{task.pk}", subject=f"To do: {task.title}", body=task.body, path=path, to=to)
    return made
